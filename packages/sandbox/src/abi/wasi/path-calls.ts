/** @module WASI calls on paths: each path is resolved against a directory's descriptor and then the host's to decide. */
import type { FileRight } from "@glovebox/core/ports";

import { ERRNO, fail, WasiError } from "./errno.ts";
import { checkFlags, FD_FLAG } from "./fd-flags.ts";
import type { OpenRequest } from "./file-client.ts";
import { type GuestPath, resolvePath } from "./paths.ts";
import { ALL_RIGHTS, DIRECTORY_RIGHTS, FILE_RIGHTS, RIGHT, type RightName } from "./rights.ts";
import { writeFilestat } from "./structs.ts";
import { newTimes } from "./times.ts";
import type { WasiCalls, WasiContext } from "./wasi-context.ts";

const FOLLOW_LINKS = 1;
const OPEN = { CREATE: 1, DIRECTORY: 2, EXCLUSIVE: 4, TRUNCATE: 8 } as const;
const ALL_OPEN_FLAGS = 15;

/** A request to open a path. */
interface OpenCall {
  readonly target: GuestPath;
  readonly followLinks: boolean;
  readonly openFlags: number;
  readonly flags: number;
  readonly base: bigint;
  readonly inheriting: bigint;
}

/** The calls. */
export function pathCalls({ memory, state }: WasiContext): WasiCalls {
  const { descriptors, files, clocks } = state;
  return {
    path_open(directory, lookup, path, length, openFlags, rawBase, rawInheriting, flags, result) {
      memory.setU32(result, 0); // before anything is opened: the place must be there
      const [base, inheriting] = [rawBase & ALL_RIGHTS, rawInheriting & ALL_RIGHTS];
      const needed: RightName[] = ["PATH_OPEN"];
      if ((openFlags & OPEN.CREATE) !== 0) needed.push("PATH_CREATE_FILE");
      if ((openFlags & OPEN.TRUNCATE) !== 0) needed.push("PATH_FILESTAT_SET_SIZE");
      const parent = descriptors.directory(directory, ...needed);
      if (((base | inheriting) & ~parent.inheriting) !== 0n) fail(ERRNO.NOTCAPABLE);
      if ((openFlags & ~ALL_OPEN_FLAGS) !== 0) fail(ERRNO.INVAL);
      checkFlags(flags);
      const target = resolve(directory, path, length);
      const followLinks = (lookup & FOLLOW_LINKS) !== 0;
      const call = { target, followLinks, openFlags, flags, base, inheriting };
      memory.setU32(result, open(call));
    },
    path_create_directory(directory, path, length) {
      files.makeDirectory(resolve(directory, path, length, "PATH_CREATE_DIRECTORY").path);
    },
    path_filestat_get(directory, lookup, path, length, result) {
      const target = resolve(directory, path, length, "PATH_FILESTAT_GET");
      writeFilestat(memory, result, stat(target, (lookup & FOLLOW_LINKS) !== 0));
    },
    path_filestat_set_times(directory, lookup, path, length, accessed, modified, flags) {
      const target = resolve(directory, path, length, "PATH_FILESTAT_SET_TIMES");
      const [accessedNs, modifiedNs] = [accessed, modified].map((ns) => BigInt.asUintN(64, ns));
      const times = newTimes(accessedNs ?? 0n, modifiedNs ?? 0n, flags, clocks.exact(0));
      const followLinks = (lookup & FOLLOW_LINKS) !== 0;
      if (target.namesDirectory) stat(target, followLinks);
      files.setTimes(target.path, times, followLinks);
    },
    path_link(fromDirectory, lookup, from, fromLength, toDirectory, to, toLength) {
      const source = resolve(fromDirectory, from, fromLength, "PATH_LINK_SOURCE");
      const target = resolve(toDirectory, to, toLength, "PATH_LINK_TARGET");
      if ((lookup & FOLLOW_LINKS) !== 0) fail(ERRNO.INVAL);
      if (source.namesDirectory) stat(source, true);
      if (target.namesDirectory) failForNewName(target);
      files.link(source.path, target.path);
    },
    path_readlink(directory, path, length, at, room, result) {
      const target = resolve(directory, path, length, "PATH_READLINK");
      const link = files.readLink(target.path).subarray(0, room >>> 0);
      memory.bytes(at, link.length).set(link);
      memory.setU32(result, link.length);
    },
    path_remove_directory(directory, path, length) {
      const target = resolve(directory, path, length, "PATH_REMOVE_DIRECTORY");
      if (target.isBase) fail(ERRNO.INVAL);
      files.removeDirectory(target.path);
    },
    path_rename(fromDirectory, from, fromLength, toDirectory, to, toLength) {
      const source = resolve(fromDirectory, from, fromLength, "PATH_RENAME_SOURCE");
      const target = resolve(toDirectory, to, toLength, "PATH_RENAME_TARGET");
      if (source.isBase || target.isBase) fail(ERRNO.BUSY);
      if (source.namesDirectory || target.namesDirectory) {
        if (stat(source, false).kind !== "directory") fail(ERRNO.NOTDIR);
      }
      files.rename(source.path, target.path);
    },
    path_symlink(text, textLength, directory, path, length) {
      const link = memory.text(text, textLength);
      const target = resolve(directory, path, length, "PATH_SYMLINK");
      // Where an absolute path begins is the host's business, and none of the plugin's.
      if (link.startsWith("/")) fail(ERRNO.NOTCAPABLE);
      if (link === "" || link.includes("\0")) fail(ERRNO.INVAL);
      if (target.namesDirectory) failForNewName(target);
      files.symlink(link, target.path);
    },
    path_unlink_file(directory, path, length) {
      const target = resolve(directory, path, length, "PATH_UNLINK_FILE");
      if (target.namesDirectory) {
        fail(stat(target, true).kind === "directory" ? ERRNO.ISDIR : ERRNO.NOTDIR);
      }
      files.removeFile(target.path);
    },
  };

  function resolve(
    directory: number,
    path: number,
    length: number,
    ...rights: readonly RightName[]
  ): GuestPath {
    const { path: base } = descriptors.directory(directory, ...rights);
    return resolvePath(base, memory.text(path, length), files);
  }

  /** A slash at the end follows a link, and asks for a directory. */
  function stat(target: GuestPath, followLinks: boolean) {
    const found = files.stat(target.path, followLinks || target.namesDirectory);
    if (target.namesDirectory && found.kind !== "directory") fail(ERRNO.NOTDIR);
    return found;
  }

  /** A name with a slash at its end cannot be made; why depends on what is there. */
  function failForNewName({ path }: GuestPath): never {
    return fail(files.stat(path, false).kind === "directory" ? ERRNO.EXIST : ERRNO.NOTDIR);
  }

  function open(call: OpenCall): number {
    const { target, openFlags, base } = call;
    const mustBeDirectory = (openFlags & OPEN.DIRECTORY) !== 0 || target.namesDirectory;
    if (mustBeDirectory) return openDirectory(call);
    try {
      return openFile(call);
    } catch (error) {
      if (!(error instanceof WasiError) || error.errno !== ERRNO.ISDIR) throw error;
      const wantsFile =
        (openFlags & (OPEN.CREATE | OPEN.TRUNCATE)) !== 0 || (base & RIGHT.FD_WRITE) !== 0n;
      if (wantsFile) throw error;
      return openDirectory(call);
    }
  }

  function openDirectory({ target, followLinks, openFlags, base, inheriting, flags }: OpenCall) {
    const { path } = target;
    const { kind } = files.stat(path, followLinks || target.namesDirectory);
    if (kind === "link") fail(ERRNO.LOOP);
    if (kind === "file") fail(ERRNO.NOTDIR);
    if ((openFlags & OPEN.EXCLUSIVE) !== 0) fail(ERRNO.EXIST);
    if ((openFlags & (OPEN.CREATE | OPEN.TRUNCATE)) !== 0 || (base & RIGHT.FD_WRITE) !== 0n) {
      fail(ERRNO.ISDIR);
    }
    return descriptors.add({
      kind: "directory",
      path,
      preopened: false,
      base: base & DIRECTORY_RIGHTS,
      inheriting,
      flags,
      listing: undefined,
    });
  }

  function openFile({ target, followLinks, openFlags, base, inheriting, flags }: OpenCall): number {
    const isAppend = (flags & FD_FLAG.APPEND) !== 0;
    const request = {
      exclusive: (openFlags & OPEN.EXCLUSIVE) !== 0,
      truncate: (openFlags & OPEN.TRUNCATE) !== 0,
      followLinks,
    };
    for (const rights of attempts(base, openFlags, isAppend)) {
      const handle = tryOpen(target.path, { ...request, rights });
      if (handle === undefined) continue;
      return descriptors.add({
        kind: "file",
        handle,
        appendOnly: rights.includes("append"),
        base: base & FILE_RIGHTS,
        inheriting,
        flags,
        offset: 0n,
      });
    }
    return fail(ERRNO.ACCES);
  }

  /** `undefined` when the grant has not all of the rights. */
  function tryOpen(path: string, request: OpenRequest): number | undefined {
    try {
      return files.open(path, request);
    } catch (error) {
      if (error instanceof WasiError && error.errno === ERRNO.ACCES) return undefined;
      throw error;
    }
  }
}

/**
 * The rights to ask the host for, one set after the other. Programs ask for all that WASI knows of
 * whatever they open; a grant without the rights to change size and times must still open a file for
 * writing, and one that may only append for appending.
 */
function attempts(base: bigint, openFlags: number, isAppend: boolean): readonly FileRight[][] {
  const creates = (openFlags & OPEN.CREATE) !== 0;
  const truncates = (openFlags & OPEN.TRUNCATE) !== 0;
  const always: FileRight[] = [
    ...(creates ? (["create"] as const) : []),
    ...(truncates ? (["truncate"] as const) : []),
    ...((base & RIGHT.FD_READ) !== 0n ? (["read"] as const) : []),
  ];
  if ((base & RIGHT.FD_WRITE) === 0n) return [always.length === 0 ? ["read"] : always];
  const writing: FileRight[] = [...always, "write"];
  const changesSize = (base & (RIGHT.FD_FILESTAT_SET_SIZE | RIGHT.FD_ALLOCATE)) !== 0n;
  const more: FileRight[] = [
    ...(changesSize && !truncates ? (["truncate"] as const) : []),
    ...((base & RIGHT.FD_FILESTAT_SET_TIMES) !== 0n ? (["setTimes"] as const) : []),
  ];
  return [
    ...(more.length === 0 ? [] : [[...writing, ...more]]),
    writing,
    ...(isAppend ? [[...always, "append" as const]] : []),
  ];
}
