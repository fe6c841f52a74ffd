/**
 * @module Sealing: publishing a signed checkpoint of what is durable. Its tiles are written while it is
 * signed, written aside and synced; then it is renamed, and its directory synced. A tree is sealed
 * while later batches are committed, and only the newest one that waits.
 */
import { dirname, join } from "node:path";

import { formatCheckpoint } from "@glovebox/tlog/checkpoint";
import { type NoteSigner, signNote } from "@glovebox/tlog/note";

import { AuditorError } from "../errors.ts";
import type { LogFileSystem } from "./file-system.ts";
import type { TreeSnapshot } from "./log-tree.ts";
import type { TileFiles } from "./tile-files.ts";
import { writeAside } from "./whole-file.ts";

/** The published checkpoint in a log's directory. */
export const CHECKPOINT_FILE = "checkpoint";

/** What a log has signed last. */
export interface SignedTree {
  readonly size: number;
  readonly root: Uint8Array;
}

/** What sealing needs. */
export interface SealParts {
  readonly fileSystem: LogFileSystem;
  readonly directory: string;
  readonly origin: string;
  readonly signers: readonly NoteSigner[];
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
   *   (`AUDITOR_SIGN`) if the key cannot be used, and then it may be tried again; else what the file
   *   system throws.
   */
  async seal({ size, root, partial }: TreeSnapshot): Promise<string> {
    const { fileSystem, directory, origin, signers, tiles, anchorPath } = this.#parts;
    const written = Promise.all([tiles.idle(), tiles.writePartial(partial)]);
    // Should the key fail, the tiles' own failure is found the next time.
    written.catch(() => undefined);
    this.#guard(size, root);
    const note = await signNote(formatCheckpoint({ origin, size, root }), signers).catch(
      (cause: unknown) => {
        throw new AuditorError("AUDITOR_SIGN", {
          message: `the log's key cannot be used: ${String(cause)}`,
          cause,
        });
      },
    );
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
