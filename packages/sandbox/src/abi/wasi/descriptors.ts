/**
 * @module The descriptors of one call: what a program's numbers stand for. Nothing here is authority:
 * files are numbers of handles that the host keeps, directories are paths that it checks at each use.
 * New numbers begin at 3, so that no file slips into the place of a closed standard stream.
 */
import type { PageAnswer } from "../../protocol/file-calls.ts";
import { ERRNO, fail } from "./errno.ts";
import {
  ALL_RIGHTS,
  DIRECTORY_RIGHTS,
  INPUT_RIGHTS,
  OUTPUT_RIGHTS,
  RIGHT,
  type RightName,
} from "./rights.ts";

/** First number that is given to a file or directory. */
const FIRST_NUMBER = 3;
/** Descriptors of one call; files are bounded by the host besides. */
const MAX_DESCRIPTORS = 1024;

interface Rights {
  base: bigint;
  inheriting: bigint;
}

/** Standard input, output or error. */
export interface StreamDescriptor extends Rights {
  readonly kind: "input" | "output" | "error";
  flags: number;
}

/** A directory. */
export interface DirectoryDescriptor extends Rights {
  readonly kind: "directory";
  readonly path: string;
  /** Whether it is one of those that the program begins with. */
  readonly preopened: boolean;
  flags: number;
  /** Names that a listing has read so far, and how it goes on (`undefined` = it is complete). */
  listing:
    | { readonly entries: PageAnswer["entries"][number][]; cursor: string | undefined }
    | undefined;
}

/** A file. */
export interface FileDescriptor extends Rights {
  readonly kind: "file";
  readonly handle: number;
  /** It may only be appended to: the grant has no right to write anywhere else. */
  readonly appendOnly: boolean;
  flags: number;
  offset: bigint;
}

/** What a number stands for. */
export type Descriptor = StreamDescriptor | DirectoryDescriptor | FileDescriptor;

/** Numbers and what they stand for. */
export class Descriptors {
  readonly #folders: readonly string[];
  readonly #open = new Map<number, Descriptor>();

  constructor(folders: readonly string[]) {
    this.#folders = folders;
    this.reset();
  }

  /** Back to the beginning of a call: streams and preopened directories. */
  reset(): void {
    this.#open.clear();
    this.#open.set(0, stream("input", INPUT_RIGHTS));
    this.#open.set(1, stream("output", OUTPUT_RIGHTS));
    this.#open.set(2, stream("error", OUTPUT_RIGHTS));
    for (const path of this.#folders) {
      const rights = { base: DIRECTORY_RIGHTS, inheriting: ALL_RIGHTS };
      this.add({
        kind: "directory",
        path,
        preopened: true,
        ...rights,
        flags: 0,
        listing: undefined,
      });
    }
  }

  /** Gives the lowest free number. */
  add(descriptor: Descriptor): number {
    if (this.#open.size >= MAX_DESCRIPTORS) fail(ERRNO.MFILE);
    let number = FIRST_NUMBER;
    while (this.#open.has(number)) number += 1;
    this.#open.set(number, descriptor);
    return number;
  }

  get(number: number): Descriptor {
    return this.#open.get(number >>> 0) ?? fail(ERRNO.BADF);
  }

  /** The descriptor, when its rights allow what is asked. */
  withRights(number: number, ...rights: readonly RightName[]): Descriptor {
    const descriptor = this.get(number);
    for (const right of rights) {
      if ((descriptor.base & RIGHT[right]) === 0n) fail(ERRNO.NOTCAPABLE);
    }
    return descriptor;
  }

  file(number: number, ...rights: readonly RightName[]): FileDescriptor {
    const descriptor = this.get(number);
    if (descriptor.kind === "directory") fail(ERRNO.ISDIR);
    if (descriptor.kind !== "file") fail(ERRNO.SPIPE);
    this.withRights(number, ...rights);
    return descriptor;
  }

  directory(number: number, ...rights: readonly RightName[]): DirectoryDescriptor {
    const descriptor = this.get(number);
    if (descriptor.kind !== "directory") fail(ERRNO.NOTDIR);
    this.withRights(number, ...rights);
    return descriptor;
  }

  remove(number: number): Descriptor {
    const descriptor = this.get(number);
    this.#open.delete(number >>> 0);
    return descriptor;
  }

  /** Moves a descriptor to another number that is in use; answers what was there. */
  renumber(from: number, to: number): Descriptor | undefined {
    const moved = this.get(from);
    const replaced = this.get(to);
    if (from >>> 0 === to >>> 0) return undefined;
    this.#open.delete(from >>> 0);
    this.#open.set(to >>> 0, moved);
    return replaced;
  }
}

function stream(kind: StreamDescriptor["kind"], base: bigint): StreamDescriptor {
  return { kind, base, inheriting: 0n, flags: 0 };
}
