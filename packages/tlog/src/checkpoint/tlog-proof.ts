/**
 * @module Proofs that stand alone (C2SP tlog-proof): an index, its inclusion proof and the signed
 * checkpoint, in one text with the ending `.tlog-proof`.
 */
import { allow, type Decision, type Refusal, refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";

import { MAX_EXTRA_BYTES, MAX_NOTE_BYTES, MAX_PROOF_HASHES } from "../limits.ts";
import { decodeBase64 } from "../note/base64.ts";
import { parseNote } from "../note/note.ts";
import { leafHash } from "../tree/hash.ts";
import { verifyInclusion } from "../tree/verify-proof.ts";
import { type OpenedCheckpoint, parseCheckpoint, parseCount, parseHash } from "./checkpoint.ts";

/** The parts of a proof. */
export interface TlogProof {
  /** Opaque and not authenticated by anything. */
  readonly extra?: Uint8Array;
  readonly index: number;
  readonly hashes: readonly Uint8Array[];
  /** The signed checkpoint, as it was published. */
  readonly checkpoint: string;
}

const HEADER = "c2sp.org/tlog-proof@v1";

/** Writes a proof. */
export function formatTlogProof({ extra, index, hashes, checkpoint }: TlogProof): string {
  const extraLine = extra === undefined ? "" : `extra ${Buffer.from(extra).toString("base64")}\n`;
  const lines = hashes.map((hash) => `${Buffer.from(hash).toString("base64")}\n`).join("");
  return `${HEADER}\n${extraLine}index ${index}\n${lines}\n${checkpoint}`;
}

/** Reads a proof; the text is attacker-controlled, and nothing is verified yet. */
export function parseTlogProof(raw: string): Decision<TlogProof> {
  if (raw.length > MAX_NOTE_BYTES + 2 * MAX_EXTRA_BYTES) return malformed("it is too long");
  const end = raw.indexOf("\n\n");
  if (end === -1) return malformed("an empty line and a checkpoint are expected");
  const [header, ...lines] = raw.slice(0, end).split("\n");
  if (header !== HEADER) return malformed(`it begins with ${received(header)}`);
  const extra = lines[0]?.startsWith("extra ") ? decodeBase64(lines.shift()?.slice(6) ?? "") : null;
  if (extra === undefined || (extra?.length ?? 0) > MAX_EXTRA_BYTES)
    return malformed("extra is base64 of a bounded size");
  const indexLine = lines.shift() ?? "";
  const index = indexLine.startsWith("index ") ? parseCount(indexLine.slice(6)) : undefined;
  if (index === undefined) return malformed(`${received(indexLine)} is no index`);
  if (lines.length > MAX_PROOF_HASHES) return malformed(`it has ${lines.length} hashes`);
  const hashes: Uint8Array[] = [];
  for (const line of lines) {
    const hash = parseHash(line);
    if (hash === undefined) return malformed(`${received(line)} is no hash`);
    hashes.push(hash);
  }
  const checkpoint = raw.slice(end + 2);
  const note = parseNote(checkpoint);
  if (!note.allowed) return note;
  const parsed = parseCheckpoint(note.value.text);
  if (!parsed.allowed) return parsed;
  const proof = { index, hashes, checkpoint, ...(extra === null ? {} : { extra }) };
  return allow("tlog.proof", Object.freeze(proof));
}

/**
 * Verifies that an entry is where its proof says. `open` decides whether the checkpoint is trusted:
 * `openCheckpoint` with the log's key, or `checkQuorum` with a policy.
 *
 * @example
 * ```ts
 * verifyTlogProof(text, entry, (checkpoint) => openCheckpoint(checkpoint, [key]));
 * ```
 */
export function verifyTlogProof<T extends OpenedCheckpoint>(
  raw: string,
  entry: Uint8Array,
  open: (checkpoint: string) => Decision<T>,
): Decision<{ readonly index: number; readonly checkpoint: T }> {
  const proof = parseTlogProof(raw);
  if (!proof.allowed) return proof;
  const { index, hashes } = proof.value;
  const checkpoint = open(proof.value.checkpoint);
  if (!checkpoint.allowed) return checkpoint;
  const { size, root } = checkpoint.value;
  const included = verifyInclusion({ index, size, root, leaf: leafHash(entry), proof: hashes });
  return included.allowed ? allow("tlog.proof", { index, checkpoint: checkpoint.value }) : included;
}

function malformed(problem: string): Refusal {
  return refuse("TLOG_PROOF", "tlog.proof", `not a tlog-proof: ${problem}`);
}
