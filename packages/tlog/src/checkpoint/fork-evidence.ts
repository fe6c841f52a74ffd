/**
 * @module Evidence of a fork that anyone can check with the log's key alone: two checkpoints that the
 * key signed, the root that the newer tree has at the older size, and a proof of that. If this root
 * is not the older one, the log has shown two histories.
 */
import { allow, type Decision, type Refusal, refuse } from "@glovebox/core/decision";
import { canonicalJson, parseBoundedJson } from "@glovebox/core/json";

import { MAX_NOTE_BYTES, MAX_PROOF_HASHES } from "../limits.ts";
import type { VerifierKey } from "../note/verifier-key.ts";
import { verifyConsistency } from "../tree/verify-proof.ts";
import { openCheckpoint, parseHash } from "./checkpoint.ts";

/** The parts of the evidence. */
export interface ForkEvidence {
  /** Signed checkpoints; `older` is not larger. */
  readonly older: string;
  readonly newer: string;
  /** Root of the newer tree at the older size; for equal sizes the newer root. */
  readonly rootAtOlder: Uint8Array;
  /** Consistency proof (RFC 6962 section 2.1.2) from that root to the newer one. */
  readonly proof: readonly Uint8Array[];
}

const FORMAT = "glovebox-fork-evidence-v1";
const MEMBERS = "format,newer,older,proof,rootAtOlder";

/** Writes evidence as canonical JSON. */
export function formatForkEvidence({ older, newer, rootAtOlder, proof }: ForkEvidence): string {
  return `${canonicalJson({
    format: FORMAT,
    older,
    newer,
    rootAtOlder: Buffer.from(rootAtOlder).toString("base64"),
    proof: proof.map((hash) => Buffer.from(hash).toString("base64")),
  })}\n`;
}

/**
 * Allows if the text proves that the owner of `keys` signed two histories; both checkpoints are then
 * in the value. Refuses with `TLOG_PROOF` if it proves nothing: evidence, too, may be forged.
 */
export function verifyForkEvidence(
  raw: string,
  keys: readonly VerifierKey[],
): Decision<ForkEvidence> {
  const evidence = parse(raw);
  if (evidence === undefined) return unproved("it is malformed");
  const older = openCheckpoint(evidence.older, keys);
  if (!older.allowed) return older;
  const newer = openCheckpoint(evidence.newer, keys);
  if (!newer.allowed) return newer;
  if (older.value.origin !== newer.value.origin) return unproved("its checkpoints are of two logs");
  if (older.value.size > newer.value.size)
    return unproved("its checkpoints are in the wrong order");
  if (Buffer.compare(older.value.root, evidence.rootAtOlder) === 0)
    return unproved("both trees are one history");
  const proved = verifyConsistency({
    oldSize: older.value.size,
    oldRoot: evidence.rootAtOlder,
    newSize: newer.value.size,
    newRoot: newer.value.root,
    proof: evidence.proof,
  });
  return proved.allowed ? allow("tlog.fork", evidence) : proved;
}

function parse(raw: string): ForkEvidence | undefined {
  const json = parseBoundedJson(raw, {
    maxBytes: 3 * MAX_NOTE_BYTES,
    maxStringBytes: MAX_NOTE_BYTES,
  });
  const value = json.allowed ? json.value : null;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const { format, older, newer, rootAtOlder, proof } = value as Readonly<Record<string, unknown>>;
  if (format !== FORMAT || Object.keys(value).toSorted().join() !== MEMBERS) return undefined;
  if (typeof older !== "string" || typeof newer !== "string" || !Array.isArray(proof))
    return undefined;
  if (proof.length > MAX_PROOF_HASHES) return undefined;
  const [root, ...hashes] = [rootAtOlder, ...(proof as readonly unknown[])].map((text) =>
    typeof text === "string" ? parseHash(text) : undefined,
  );
  if (root === undefined) return undefined;
  const known = hashes.filter((hash) => hash !== undefined);
  return known.length === hashes.length
    ? { older, newer, rootAtOlder: root, proof: known }
    : undefined;
}

function unproved(problem: string): Refusal {
  return refuse("TLOG_PROOF", "tlog.fork", `no evidence of a fork: ${problem}`);
}
