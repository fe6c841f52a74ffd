/**
 * @module Checkpoints (C2SP tlog-checkpoint): a note whose text is the log's origin, the tree's size
 * in decimal and its root in base64, each on a line. There is one spelling of each checkpoint.
 */
import { allow, type Decision, type Refusal, refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";

import { TlogError } from "../errors/tlog-error.ts";
import { decodeBase64 } from "../note/base64.ts";
import { type OpenedNote, openNote } from "../note/open-note.ts";
import type { VerifierKey } from "../note/verifier-key.ts";
import { EMPTY_ROOT, HASH_BYTES } from "../tree/hash.ts";

/** What a log says of itself at one moment. */
export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
}

/** A checkpoint that was signed by keys that are trusted. */
export interface OpenedCheckpoint extends Checkpoint {
  readonly note: OpenedNote;
}

const DECIMAL = /^(0|[1-9]\d{0,15})$/;

/** A count in decimal without leading zeros; `undefined` for anything else, and above 2^53 - 1. */
export function parseCount(text: string): number | undefined {
  const count = DECIMAL.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(count) ? count : undefined;
}

/** A hash in base64. */
export function parseHash(text: string): Buffer | undefined {
  const bytes = decodeBase64(text);
  return bytes?.length === HASH_BYTES ? bytes : undefined;
}

/**
 * Reads the text of a checkpoint, without signatures. The text is attacker-controlled. Extension
 * lines are refused: tlog-checkpoint advises against them, and ML-DSA-44 cosignatures do not cover
 * them.
 */
export function parseCheckpoint(text: string): Decision<Checkpoint> {
  const [origin = "", rawSize = "", rawRoot = "", end, more] = text.split("\n");
  if (end !== "" || more !== undefined)
    return malformed("origin, size and root on three lines are expected");
  if (origin === "") return malformed("its origin is empty");
  const size = parseCount(rawSize);
  if (size === undefined) return malformed(`${received(rawSize)} is no size`);
  const root = parseHash(rawRoot);
  if (root === undefined) return malformed(`${received(rawRoot)} is no hash`);
  if (size === 0 && root.toString("hex") !== EMPTY_ROOT)
    return malformed("the empty tree has one root only");
  return allow("tlog.checkpoint", Object.freeze({ origin, size, root }));
}

/** Writes the text of a checkpoint. @throws {@link TlogError} (`TLOG_OPTION`) */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  const text = `${origin}\n${size}\n${Buffer.from(root).toString("base64")}\n`;
  const read = parseCheckpoint(text);
  if (!read.allowed) throw new TlogError("TLOG_OPTION", { message: read.reason });
  return text;
}

/** Opens a signed checkpoint; refuses with `TLOG_NOTE`, `TLOG_SIGNATURE` or `TLOG_CHECKPOINT`. */
export function openCheckpoint(
  raw: Uint8Array | string,
  keys: readonly VerifierKey[],
): Decision<OpenedCheckpoint> {
  const note = openNote(raw, keys);
  if (!note.allowed) return note;
  const checkpoint = parseCheckpoint(note.value.text);
  if (!checkpoint.allowed) return checkpoint;
  return allow("tlog.checkpoint", Object.freeze({ ...checkpoint.value, note: note.value }));
}

function malformed(problem: string): Refusal {
  return refuse("TLOG_CHECKPOINT", "tlog.checkpoint", `not a checkpoint: ${problem}`);
}
