/**
 * @module The minimum index of a log (C2SP tlog-tiles, "Pruning"), published as a note that the log's
 * key signs: what lies below it may be gone. Without the signature, whoever deletes entries could
 * also say that they were pruned.
 */
import { join } from "node:path";

import { allow, type Decision, refuse } from "@glovebox/core/decision";
import { type NoteSigner, openNote, signNote, type VerifierKey } from "@glovebox/tlog/note";

import { MAX_CHECKPOINT_BYTES } from "../limits.ts";
import type { LogFileSystem } from "./file-system.ts";
import { readWhole, replaceDurably } from "./whole-file.ts";

const MINIMUM_INDEX_FILE = "minimum-index";
const HEADER = "glovebox.minimum-index/v1";

/** Reads the minimum index; 0 if none was published. */
export async function readMinimumIndex(
  fileSystem: Pick<LogFileSystem, "open">,
  directory: string,
  origin: string,
  keys: readonly VerifierKey[],
): Promise<Decision<number>> {
  const raw = await readWhole(
    fileSystem,
    join(directory, MINIMUM_INDEX_FILE),
    MAX_CHECKPOINT_BYTES,
  );
  if (raw === undefined) return allow("audit.minimum-index", 0);
  const note = openNote(raw, keys);
  if (!note.allowed) return note;
  const [header, ofOrigin, index = "", end, more] = note.value.text.split("\n");
  const isOurs = header === HEADER && ofOrigin === origin && end === "" && more === undefined;
  const value = /^(0|[1-9]\d{0,15})$/.test(index) ? Number(index) : Number.NaN;
  return isOurs && Number.isSafeInteger(value)
    ? allow("audit.minimum-index", value)
    : refuse("AUDITOR_LOG_INVALID", "audit.minimum-index", "the minimum index is malformed");
}

/** Publishes a minimum index; durable when it answers. */
export async function publishMinimumIndex(
  fileSystem: LogFileSystem,
  directory: string,
  origin: string,
  index: number,
  signers: readonly NoteSigner[],
): Promise<void> {
  // ML-DSA-44 signs checkpoints only.
  const able = signers.filter(
    ({ vkey }) => Buffer.from(vkey.split("+")[2] ?? "", "base64")[0] === 0x01,
  );
  const note = await signNote(`${HEADER}\n${origin}\n${index}\n`, able);
  await replaceDurably(fileSystem, join(directory, MINIMUM_INDEX_FILE), Buffer.from(note));
}
