/**
 * @module Sealing: publishing a signed checkpoint of what is durable. Its tiles are written while it is
 * signed, written aside and synced; then it is renamed, and its directory synced. A tree is sealed
 * while later batches are committed, and only the newest one that waits.
 */
import { dirname, join } from "node:path";

import type { Decision } from "@glovebox/core/decision";
import { formatCheckpoint } from "@glovebox/tlog/checkpoint";
import { type NoteSigner, parseNote, signNote } from "@glovebox/tlog/note";
import { createTileTree } from "@glovebox/tlog/tree";

import { AuditorError } from "../errors.ts";
import type { LogFileSystem } from "./file-system.ts";
import type { TreeSnapshot } from "./log-tree.ts";
import type { AuditLog } from "./log.ts";
import type { SignedCheckpoint } from "./read-checkpoint.ts";
import { type TileFiles, tileSourceOf } from "./tile-files.ts";
import { writeAside } from "./whole-file.ts";

/** The published checkpoint in a log's directory. */
export const CHECKPOINT_FILE = "checkpoint";

/** What a log has signed last. */
export interface SignedTree {
  readonly size: number;
  readonly root: Uint8Array;
}

/**
 * Answers a checkpoint with cosignatures after it, or refuses while they are too few; the second
 * argument proves the checkpoint consistent with an earlier size.
 */
export type CheckpointCosigner = (
  checkpoint: string,
  proveConsistency: AuditLog["proveConsistency"],
) => Promise<Decision<string>>;

/** What sealing needs. */
export interface SealParts {
  readonly fileSystem: LogFileSystem;
  readonly directory: string;
  readonly origin: string;
  readonly signers: readonly NoteSigner[];
  readonly cosign: CheckpointCosigner | undefined;
  readonly tiles: TileFiles;
  /** A second place for the last checkpoint, outside of the directory. */
  readonly anchorPath: string | undefined;
  readonly lastSigned: SignedTree | undefined;
}

/** Publishes checkpoints. */
export class Sealer {
  readonly #parts: SealParts;
  #lastSigned: SignedTree | undefined;

  constructor(parts: SealParts) {
    this.#parts = parts;
    this.#lastSigned = parts.lastSigned;
  }

  /**
   * Publishes a checkpoint of a tree whose entries are durable, and answers its note.
   *
   * @throws {@link AuditorError} (`AUDITOR_FORK`) for a tree that contradicts what was signed;
   *   (`AUDITOR_SIGN`) if the key cannot be used or witnesses are missing, and then it may be tried again; else what the file
   *   system throws.
   */
  async seal({ size, root, partial }: TreeSnapshot): Promise<string> {
    const { fileSystem, directory, origin, signers, cosign, tiles, anchorPath } = this.#parts;
    const written = Promise.all([tiles.idle(), tiles.writePartial(partial)]);
    // Should the key fail, the tiles' own failure is found the next time.
    written.catch(() => undefined);
    this.#guard(size, root);
    const signed = await signNote(formatCheckpoint({ origin, size, root }), signers).catch(
      (cause: unknown) => {
        throw unsigned(`the log's key cannot be used: ${String(cause)}`, cause);
      },
    );
    // A witness is shown what its proof, from tiles on the disk, stands for.
    if (cosign !== undefined) await written;
    const note =
      cosign === undefined || size === 0 ? signed : await this.#cosign(signed, size, cosign);
    const bytes = Buffer.from(note);
    // The place outside first: it is never behind what is shown.
    const paths = [anchorPath, join(directory, CHECKPOINT_FILE)].filter(
      (path) => path !== undefined,
    );
    await Promise.all([
      written,
      ...paths.map((path) => writeAside(fileSystem, `${path}.tmp`, bytes)),
    ]);
    for (const path of paths) await fileSystem.rename(`${path}.tmp`, path);
    await Promise.all(paths.map((path) => fileSystem.syncDirectory(dirname(path))));
    return note;
  }

  async #cosign(signed: string, size: number, cosign: CheckpointCosigner): Promise<string> {
    const { fileSystem, directory } = this.#parts;
    const tree = createTileTree(size, tileSourceOf(fileSystem, directory));
    const cosigned = await cosign(signed, (from, to) => tree.proveConsistency(from, to)).catch(
      (cause: unknown) => {
        throw unsigned(`the checkpoint is not cosigned: ${String(cause)}`, cause);
      },
    );
    if (!cosigned.allowed) throw unsigned(`the checkpoint is not cosigned: ${cosigned.reason}`);
    // Others' lines come after ours, and change nothing of it.
    if (!cosigned.value.startsWith(signed) || !parseNote(cosigned.value).allowed)
      throw unsigned("the checkpoint is not cosigned: the answer is another note");
    return cosigned.value;
  }

  /** Two roots for one size, or a smaller tree, would be a fork: the worst that a log can do. */
  #guard(size: number, root: Uint8Array): void {
    const last = this.#lastSigned;
    const isFork =
      last !== undefined &&
      (size < last.size || (size === last.size && Buffer.compare(root, last.root) !== 0));
    if (isFork) {
      const message = `a tree of ${size} entries contradicts the one of ${last.size} that was signed`;
      throw new AuditorError("AUDITOR_FORK", { message });
    }
    this.#lastSigned = { size, root };
  }
}

/**
 * What a crash left durable is sealed at once, so that whoever opens sees a whole log; where the key
 * or the witnesses cannot be reached, with the next entry or on closing.
 */
export async function sealFound(
  sealer: Sealer,
  snapshot: TreeSnapshot,
  published: SignedCheckpoint | undefined,
): Promise<{ readonly size: number; readonly note: string }> {
  const { size } = snapshot;
  if (published === undefined) return { size, note: await sealer.seal(snapshot) };
  const known = { size: published.checkpoint.size, note: published.note };
  if (known.size === size) return known;
  try {
    return { size, note: await sealer.seal(snapshot) };
  } catch (error) {
    if (error instanceof AuditorError && error.code === "AUDITOR_SIGN") return known;
    throw error;
  }
}

function unsigned(message: string, cause?: unknown): AuditorError {
  return new AuditorError("AUDITOR_SIGN", { message, cause });
}
