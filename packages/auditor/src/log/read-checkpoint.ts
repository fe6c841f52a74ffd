/** @module Reading a checkpoint that a log has signed, from its directory or from outside of it. */
import { received } from "@glovebox/core/errors";
import { type Checkpoint, openCheckpoint } from "@glovebox/tlog/checkpoint";
import type { VerifierKey } from "@glovebox/tlog/note";

import { AuditorError } from "../errors.ts";
import { MAX_CHECKPOINT_BYTES } from "../limits.ts";
import type { LogFileSystem } from "./file-system.ts";
import { readWhole } from "./whole-file.ts";

/** A checkpoint and its note. */
export interface SignedCheckpoint {
  readonly note: string;
  readonly checkpoint: Checkpoint;
}

/** Reads a checkpoint of this log; a torn one that was only prepared is none. */
export async function readCheckpoint(
  fileSystem: LogFileSystem,
  path: string,
  origin: string,
  keys: readonly VerifierKey[],
  mayBeTorn = false,
): Promise<SignedCheckpoint | undefined> {
  const raw = await readWhole(fileSystem, path, MAX_CHECKPOINT_BYTES);
  if (raw === undefined) return undefined;
  const opened = openCheckpoint(raw, keys);
  if (!opened.allowed) {
    if (mayBeTorn) return undefined;
    throw new AuditorError("AUDITOR_LOG_INVALID", { message: `${path}: ${opened.reason}` });
  }
  if (opened.value.origin !== origin) {
    const message = `the log's origin is ${received(opened.value.origin)}; the option says ${received(origin)}`;
    throw new AuditorError("AUDITOR_ORIGIN", { message });
  }
  return { note: raw.toString("utf8"), checkpoint: opened.value };
}
