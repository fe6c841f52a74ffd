/**
 * @module Verifying a log: its keys, its checkpoint, every entry, every tile, in one pass and with
 * constant memory. Without an anchor this shows that the log is whole and consistent; that its end
 * was not cut off, or all of it replaced, shows only against a checkpoint that was kept elsewhere.
 */
import { join, resolve } from "node:path";

import {
  type Checkpoint,
  formatForkEvidence,
  openCheckpoint,
  parseCheckpoint,
  verifyForkEvidence,
} from "@glovebox/tlog/checkpoint";
import { parseNote, parseVerifierKey, type VerifierKey } from "@glovebox/tlog/note";
import { checkQuorum, parsePolicy, type TlogPolicy } from "@glovebox/tlog/policy";
import { createTileTree } from "@glovebox/tlog/tree";

import { AuditorError } from "../errors.ts";
import { MAX_CHECKPOINT_BYTES } from "../limits.ts";
import { checkDirectories, nodeFileSystem } from "../log/file-system.ts";
import { followKeys, type LogKeys, readLogKeys } from "../log/log-keys.ts";
import { readMinimumIndex } from "../log/minimum-index.ts";
import { CHECKPOINT_FILE } from "../log/seal.ts";
import { tileSourceOf } from "../log/tile-files.ts";
import { readWhole } from "../log/whole-file.ts";
import { type Finding, walkTree } from "./walk-tree.ts";

/**
 * What is wrong: something that is not as it was written (`INVALID`), entries or tiles above the
 * minimum index that are gone (`MISSING`), a log that ends before the anchor (`ROLLBACK`), or another
 * history or key than the anchor's (`DIVERGED`). `PRUNED` is no problem: the log is whole, and the
 * entries below its published minimum index are gone.
 */
export type AuditFinding = "INVALID" | "MISSING" | "ROLLBACK" | "DIVERGED" | "PRUNED";

/** How a verification is made. */
export interface VerifyOptions {
  /** The anchor: a signed checkpoint of this log that was kept elsewhere. Default: none. */
  readonly since?: string;
  /** A policy file (C2SP tlog-policy): whose logs and witnesses are believed. Default: the log's own key. */
  readonly policy?: string;
  /** The log's key as a vkey, if it is known. Default: the one that the directory names. */
  readonly key?: string;
  /** Is told how many entries of how many were verified, after each bundle of 256. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What a verification found. */
export interface VerifyReport {
  /** Whether no problem was found. */
  readonly ok: boolean;
  /** Whether the anchor was found in the log; without one, freshness was not checked. */
  readonly fresh: boolean;
  /** Entries that the checkpoint covers; 0 if there is none that can be trusted. */
  readonly size: number;
  /**
   * Index at which the first problem shows; `null` if there is none. A tile above the entries shows
   * where its entries begin, another history at the anchor's last entry.
   */
  readonly firstBadIndex: number | null;
  readonly kind: AuditFinding | null;
  /** Entries below it were pruned. */
  readonly minimumIndex: number;
  /**
   * For `DIVERGED` where the log's key signed both histories: evidence of that, which anyone can check
   * with the key alone (`verifyForkEvidence` of `@glovebox/tlog/checkpoint`); else `null`.
   */
  readonly evidence: string | null;
  /** One sentence for the operator; empty for a whole log. */
  readonly reason: string;
  /** The verified checkpoint: the next anchor. `null` if there is none. */
  readonly checkpoint: string | null;
}

/** A verification that has ended before the entries were read. */
class Stop extends Error {
  readonly finding: Omit<Finding, "kind"> & { readonly kind: AuditFinding };

  constructor(kind: AuditFinding, reason: string, index = 0) {
    super(reason);
    this.finding = { kind, reason, index };
  }
}

/**
 * Verifies the log in a directory; may run while it is written to. What is not sealed yet is not
 * part of what is verified.
 *
 * @throws {@link AuditorError} (`AUDITOR_ANCHOR`) if anchor, key or policy are malformed;
 *   (`AUDITOR_DIRECTORY`) if there is no directory, or something in it is a link, a FIFO, has a second
 *   name or is writable by others.
 *
 * @example
 * ```ts
 * const report = await verifyAuditLog("/var/lib/host/audit/security", { since: anchor });
 * ```
 */
export async function verifyAuditLog(
  directory: string,
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  const path = resolve(directory);
  await checkDirectories(path);
  const anchor = options.since === undefined ? undefined : anchorOf(options.since);
  const policy = options.policy === undefined ? undefined : policyOf(options.policy);
  const key = options.key === undefined ? undefined : keyOf(options.key);
  let opened: Opened | undefined;
  try {
    opened = await openLogCheckpoint(path, { anchor, policy, key });
    const { checkpoint, keys } = opened;
    const minimum = await readMinimumIndex(nodeFileSystem, path, checkpoint.origin, keys);
    if (!minimum.allowed) throw new Stop("INVALID", minimum.reason);
    const minimumIndex = minimum.value;
    if (minimumIndex > checkpoint.size || minimumIndex % 256 !== 0) {
      throw new Stop("INVALID", "the minimum index lies beyond the checkpoint");
    }
    const anchors = anchor === undefined ? [] : [anchor.checkpoint];
    const finding = await walkTree({
      fileSystem: nodeFileSystem,
      directory: path,
      minimumIndex,
      tree: checkpoint,
      anchors,
      onProgress: options.onProgress,
    });
    if (finding !== undefined) {
      const evidence =
        finding.kind === "DIVERGED" && anchor !== undefined
          ? await evidenceOf(path, anchor, opened)
          : null;
      return { ...report(opened, finding, minimumIndex, false), evidence };
    }
    if (anchor !== undefined && anchor.checkpoint.size > checkpoint.size) {
      const reason = `the log ends at ${checkpoint.size}, and had ${anchor.checkpoint.size} entries`;
      throw new Stop("ROLLBACK", reason, checkpoint.size);
    }
    // An anchor from before the minimum index was not met on the way.
    const isFresh = anchor !== undefined && anchor.checkpoint.size >= minimumIndex;
    return report(opened, undefined, minimumIndex, isFresh);
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    return report(opened, error.finding, 0, false);
  }
}

/** What is trusted before anything is read. */
interface Trust {
  readonly anchor: Anchor | undefined;
  readonly policy: TlogPolicy | undefined;
  readonly key: VerifierKey | undefined;
}

interface Anchor {
  readonly note: string;
  readonly checkpoint: Checkpoint;
}

/** A checkpoint that is signed by a key which follows from the trusted ones. */
interface Opened {
  readonly note: string;
  readonly checkpoint: Checkpoint;
  readonly keys: readonly VerifierKey[];
}

async function openLogCheckpoint(path: string, trust: Trust): Promise<Opened> {
  const raw = await readWhole(nodeFileSystem, join(path, CHECKPOINT_FILE), MAX_CHECKPOINT_BYTES);
  if (raw === undefined) throw new Stop("MISSING", "the log has no checkpoint");
  const parsed = parseNote(raw);
  if (!parsed.allowed) throw new Stop("INVALID", parsed.reason);
  const text = parseCheckpoint(parsed.value.text);
  if (!text.allowed) throw new Stop("INVALID", text.reason);
  const { origin } = text.value;
  if (trust.anchor !== undefined && trust.anchor.checkpoint.origin !== origin) {
    throw new Stop(
      "DIVERGED",
      `the log is ${origin}, and the anchor of ${trust.anchor.checkpoint.origin}`,
    );
  }
  const keys = keysOf(await readLogKeys(nodeFileSystem, path), origin, trust);
  const note = raw.toString("utf8");
  const opened = openCheckpoint(note, keys);
  if (opened.allowed) {
    if (trust.policy !== undefined) checkPolicy(note, trust.policy, keys);
    return { note, checkpoint: opened.value, keys };
  }
  // Signed, but by nobody who is trusted: whoever did it has another log.
  const isOther = parsed.value.signatures.every(
    ({ name, keyId }) => !keys.some((known) => known.name === name && known.keyId === keyId),
  );
  const isTrustGiven =
    trust.anchor !== undefined || trust.policy !== undefined || trust.key !== undefined;
  throw new Stop(isOther && isTrustGiven ? "DIVERGED" : "INVALID", opened.reason);
}

/** The keys that follow from what is trusted; without anything, from the key that the log names. */
function keysOf(
  { first, endorsements }: LogKeys,
  origin: string,
  trust: Trust,
): readonly VerifierKey[] {
  const given = [
    ...(trust.policy?.logs.map(({ key }) => key) ?? []),
    ...(trust.key === undefined ? [] : [trust.key]),
  ].filter(({ name }) => name === origin);
  const isGiven = trust.policy !== undefined || trust.key !== undefined;
  const roots = isGiven ? given : first?.name === origin ? [first] : [];
  const keys = followKeys(roots, endorsements, origin);
  if (trust.anchor === undefined) return keys;
  const anchored = openCheckpoint(trust.anchor.note, keys);
  if (!anchored.allowed)
    throw new Stop("DIVERGED", `the anchor is another log's: ${anchored.reason}`);
  // Keys of before the anchor may have been revoked for a reason.
  return followKeys(
    anchored.value.note.verified.map(({ key }) => key),
    endorsements,
    origin,
  );
}

/** What anchor and log say together of the key that signed both; it stands without the log. */
async function evidenceOf(
  path: string,
  { note: older, checkpoint: { size } }: Anchor,
  { note: newer, checkpoint, keys }: Opened,
): Promise<string | null> {
  try {
    const tree = createTileTree(checkpoint.size, tileSourceOf(nodeFileSystem, path));
    const [rootAtOlder, proof] = await Promise.all([
      tree.rootAt(size),
      tree.proveConsistency(size),
    ]);
    const evidence = formatForkEvidence({ older, newer, rootAtOlder, proof });
    return verifyForkEvidence(evidence, keys).allowed ? evidence : null;
  } catch {
    // Of a log whose tiles are damaged as well nothing can be proven.
    return null;
  }
}

function checkPolicy(note: string, policy: TlogPolicy, keys: readonly VerifierKey[]): void {
  const decision = checkQuorum(note, { ...policy, logs: keys.map((key) => ({ key })) });
  if (!decision.allowed) throw new Stop("INVALID", decision.reason);
}

function report(
  opened: Opened | undefined,
  finding:
    | { readonly kind: AuditFinding; readonly index: number; readonly reason: string }
    | undefined,
  minimumIndex: number,
  fresh: boolean,
): VerifyReport {
  const isPruned = finding === undefined && minimumIndex > 0;
  return Object.freeze({
    ok: finding === undefined,
    fresh,
    size: opened?.checkpoint.size ?? 0,
    firstBadIndex: finding?.index ?? null,
    kind: finding?.kind ?? (isPruned ? "PRUNED" : null),
    minimumIndex,
    evidence: null,
    reason: finding?.reason ?? "",
    checkpoint: opened?.note ?? null,
  });
}

function anchorOf(note: string): Anchor {
  const parsed = parseNote(note);
  const checkpoint = parsed.allowed ? parseCheckpoint(parsed.value.text) : parsed;
  if (!checkpoint.allowed) throw new AuditorError("AUDITOR_ANCHOR", { message: checkpoint.reason });
  return { note, checkpoint: checkpoint.value };
}

function policyOf(text: string): TlogPolicy {
  const policy = parsePolicy(text);
  if (!policy.allowed) throw new AuditorError("AUDITOR_ANCHOR", { message: policy.reason });
  return policy.value;
}

function keyOf(vkey: string): VerifierKey {
  const key = parseVerifierKey(vkey);
  if (!key.allowed) throw new AuditorError("AUDITOR_ANCHOR", { message: key.reason });
  return key.value;
}
