/** @module WASI calls on descriptors: reading, writing, seeking, listing, and what is known of them. */
import { MAX_FILE_TRANSFER_BYTES, MAX_PAGE_NAMES } from "../../limits.ts";
import type { PageAnswer, StatAnswer } from "../../protocol/file-calls.ts";
import type { Descriptor, DirectoryDescriptor, FileDescriptor } from "./descriptors.ts";
import { ERRNO, fail } from "./errno.ts";
import { checkFlags, FD_FLAG, SYNC_FLAGS } from "./fd-flags.ts";
import { ALL_RIGHTS } from "./rights.ts";
import { encodeDirent, writeFdstat, writeFilestat } from "./structs.ts";
import { newTimes } from "./times.ts";
import type { WasiCalls, WasiContext } from "./wasi-context.ts";

const WHENCE = { SET: 0, CURRENT: 1, END: 2 } as const;
const MAX_ADVICE = 5;
const MAX_OFFSET = 2n ** 63n - 1n;
const PRESTAT_BYTES = 8;
/** `.` and `..`, which every listing begins with. */
const DOTS = 2;
const encoder = new TextEncoder();

/** The calls. */
export function fdCalls({ memory, state }: WasiContext): WasiCalls {
  const { descriptors, streams, files, clocks } = state;
  return {
    fd_read(number, vectors, count, result) {
      const descriptor = descriptors.withRights(number, "FD_READ");
      const targets = memory.vectors(vectors, count);
      if (descriptor.kind === "input") {
        memory.setU32(result, scatter(targets, streams.read(limit(targets))));
        return;
      }
      const file = descriptors.file(number);
      const bytes = files.read(file.handle, file.offset, limit(targets));
      memory.setU32(result, scatter(targets, bytes));
      file.offset += BigInt(bytes.length);
    },
    fd_pread(number, vectors, count, offset, result) {
      const { handle } = descriptors.file(number, "FD_READ", "FD_SEEK");
      const targets = memory.vectors(vectors, count);
      const bytes = files.read(handle, place(offset), limit(targets));
      memory.setU32(result, scatter(targets, bytes));
    },
    fd_write(number, vectors, count, result) {
      const descriptor = descriptors.withRights(number, "FD_WRITE");
      const bytes = gather(memory.vectors(vectors, count));
      memory.setU32(result, bytes.length);
      if (descriptor.kind === "output") streams.write(bytes);
      else if (descriptor.kind === "error") streams.log(bytes);
      else {
        const file = descriptors.file(number);
        if (appends(file)) file.offset = files.handleStat(file.handle).size;
        write(file, file.offset, bytes);
        file.offset += BigInt(bytes.length);
      }
    },
    fd_pwrite(number, vectors, count, offset, result) {
      const file = descriptors.file(number, "FD_WRITE", "FD_SEEK");
      const bytes = gather(memory.vectors(vectors, count));
      memory.setU32(result, bytes.length);
      write(file, place(offset), bytes);
    },
    fd_seek(number, delta, whence, result) {
      const file = descriptors.file(number);
      const isTell = delta === 0n && whence === WHENCE.CURRENT;
      descriptors.withRights(number, isTell ? "FD_TELL" : "FD_SEEK");
      const from =
        whence === WHENCE.SET
          ? 0n
          : whence === WHENCE.CURRENT
            ? file.offset
            : whence === WHENCE.END
              ? files.handleStat(file.handle).size
              : fail(ERRNO.INVAL);
      const target = from + delta;
      if (target < 0n || target > MAX_OFFSET) fail(ERRNO.INVAL);
      memory.setU64(result, target);
      file.offset = target;
    },
    fd_tell: (number, result) => memory.setU64(result, descriptors.file(number, "FD_TELL").offset),
    fd_close: (number) => close(descriptors.remove(number)),
    fd_renumber: (from, to) => close(descriptors.renumber(from, to)),
    fd_sync: (number) => sync(number),
    fd_datasync: (number) => sync(number),
    fd_advise(number, _offset, _length, advice) {
      descriptors.file(number, "FD_ADVISE");
      if (advice >>> 0 > MAX_ADVICE) fail(ERRNO.INVAL);
    },
    fd_allocate(number, offset, length) {
      const { handle } = descriptors.file(number, "FD_ALLOCATE");
      const end = place(offset) + place(length);
      if (place(length) === 0n || end > MAX_OFFSET) fail(ERRNO.INVAL);
      if (end > files.handleStat(handle).size) files.truncate(handle, end);
    },
    fd_fdstat_get: (number, result) => writeFdstat(memory, result, descriptors.get(number)),
    fd_fdstat_set_flags(number, flags) {
      const descriptor = descriptors.withRights(number, "FD_FDSTAT_SET_FLAGS");
      checkFlags(flags);
      const stops =
        descriptor.kind === "file" && descriptor.appendOnly && !(flags & FD_FLAG.APPEND);
      if (stops) fail(ERRNO.PERM);
      descriptor.flags = flags;
    },
    fd_fdstat_set_rights(number, base, inheriting) {
      const descriptor = descriptors.get(number);
      const [newBase, newInheriting] = [base & ALL_RIGHTS, inheriting & ALL_RIGHTS];
      const isMore =
        (newBase & ~descriptor.base) !== 0n || (newInheriting & ~descriptor.inheriting) !== 0n;
      if (isMore) fail(ERRNO.NOTCAPABLE);
      descriptor.base = newBase;
      descriptor.inheriting = newInheriting;
    },
    fd_filestat_get(number, result) {
      writeFilestat(memory, result, statOf(descriptors.withRights(number, "FD_FILESTAT_GET")));
    },
    fd_filestat_set_size(number, size) {
      const { handle } = descriptors.file(number, "FD_FILESTAT_SET_SIZE");
      files.truncate(handle, place(size));
    },
    fd_filestat_set_times(number, accessed, modified, flags) {
      const descriptor = descriptors.withRights(number, "FD_FILESTAT_SET_TIMES");
      const times = newTimes(place(accessed), place(modified), flags, clocks.exact(0));
      if (descriptor.kind === "directory") files.setTimes(descriptor.path, times, true);
      else files.setHandleTimes(descriptors.file(number).handle, times);
    },
    fd_prestat_get(number, result) {
      const view = memory.struct(result, PRESTAT_BYTES);
      view.setUint32(0, 0, true);
      view.setUint32(4, preopenName(number).length, true);
    },
    fd_prestat_dir_name(number, at, length) {
      const name = preopenName(number);
      if (length >>> 0 < name.length) fail(ERRNO.NAMETOOLONG);
      memory.bytes(at, name.length).set(name);
    },
    fd_readdir(number, at, length, cookie, result) {
      const directory = descriptors.directory(number, "FD_READDIR");
      const target = memory.bytes(at, length);
      memory.setU32(result, list(directory, BigInt.asUintN(64, cookie), target));
    },
  };

  function write(file: FileDescriptor, offset: bigint, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    files.write(file.handle, offset, bytes);
    if ((file.flags & SYNC_FLAGS) !== 0) files.sync(file.handle);
  }

  function sync(number: number): void {
    const descriptor = descriptors.get(number);
    // What a directory holds is in the file system's hands as soon as it is made.
    if (descriptor.kind !== "directory") files.sync(descriptors.file(number).handle);
  }

  function close(descriptor: Descriptor | undefined): void {
    if (descriptor?.kind === "file") files.close(descriptor.handle);
    if (descriptor?.kind === "error") streams.flush();
  }

  function statOf(descriptor: Descriptor): StatAnswer | undefined {
    if (descriptor.kind === "file") return files.handleStat(descriptor.handle);
    return descriptor.kind === "directory" ? files.stat(descriptor.path, true) : undefined;
  }

  function preopenName(number: number): Uint8Array {
    const descriptor = descriptors.get(number);
    const isPreopened = descriptor.kind === "directory" && descriptor.preopened;
    return isPreopened ? encoder.encode(descriptor.path) : fail(ERRNO.BADF);
  }

  /** Fills `target` with entries from the place `cookie` on; the last may be cut, which asks for more room. */
  function list(directory: DirectoryDescriptor, cookie: bigint, target: Uint8Array): number {
    if (cookie === 0n || directory.listing === undefined) {
      directory.listing = { entries: dots(directory), cursor: "" };
    }
    let used = 0;
    for (let index = Number(cookie); used < target.length; index += 1) {
      const entry = entryAt(directory, directory.listing, index);
      if (entry === undefined) break;
      const dirent = encodeDirent(entry, index + 1).subarray(0, target.length - used);
      target.set(dirent, used);
      used += dirent.length;
    }
    return used;
  }

  function dots({ path }: DirectoryDescriptor): PageAnswer["entries"][number][] {
    const { id } = files.stat(path, true);
    return [".", ".."].map((name) => ({ name, kind: "directory", id: name === "." ? id : 0n }));
  }

  function entryAt(
    { path }: DirectoryDescriptor,
    listing: NonNullable<DirectoryDescriptor["listing"]>,
    index: number,
  ): PageAnswer["entries"][number] | undefined {
    while (index >= listing.entries.length && listing.cursor !== undefined) {
      const from = listing.entries.length === DOTS ? undefined : listing.cursor;
      const page = files.list(path, from, MAX_PAGE_NAMES);
      listing.entries.push(...page.entries);
      listing.cursor = page.entries.length === 0 ? undefined : page.cursor;
    }
    return listing.entries[index];
  }
}

function appends({ flags }: FileDescriptor): boolean {
  return (flags & FD_FLAG.APPEND) !== 0;
}

/** An unsigned place in a file, or size of one. */
function place(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}

/** Bytes that the ranges can take, as far as one call moves. */
function limit(targets: readonly Uint8Array[]): number {
  const total = targets.reduce((sum, { length }) => sum + length, 0);
  return Math.min(total, MAX_FILE_TRANSFER_BYTES);
}

/** Copies bytes into ranges, one after the other; answers how many. */
function scatter(targets: readonly Uint8Array[], bytes: Uint8Array): number {
  let at = 0;
  for (const target of targets) {
    const part = bytes.subarray(at, at + target.length);
    target.set(part);
    at += part.length;
  }
  return bytes.length;
}

/** The bytes of ranges, one after the other, as far as one call moves. */
function gather(sources: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(limit(sources));
  let at = 0;
  for (const source of sources) {
    const part = source.subarray(0, bytes.length - at);
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
