/**
 * @module File operations that Node has no function for, as single system calls relative to an open
 * folder: a path that cannot leave the folder whoever renames what meanwhile (openat2(2)), a name
 * that is published at once and over nothing (renameat2(2), linkat(2)), a lock that ends with its
 * holder (flock(2)), times to the nanosecond (utimensat(2)). Synchronous: a slow disk stops the
 * thread that calls.
 */
import { constants as fs } from "node:fs";
import { constants as os } from "node:os";

import { callFailed } from "../errors.ts";
import { type BackEnd, bindNativeFunctions } from "../native-functions.ts";
import { knownArchitecture, SYSTEM_CALL_NUMBERS } from "../system-call-numbers.ts";

/** A descriptor that only names a file: no permission to read it, and no effect on it (open(2)). */
export const O_PATH = 0o10000000;
/** A file without a name in the folder that is opened; needs write access (open(2)). */
export const O_TMPFILE: number = 0o20000000 | fs.O_DIRECTORY;

const O_CLOEXEC = 0o2000000;
/** linux/openat2.h. */
const RESOLVE_NO_XDEV = 0x01n;
const RESOLVE_NO_MAGICLINKS = 0x02n;
const RESOLVE_NO_SYMLINKS = 0x04n;
const RESOLVE_BENEATH = 0x08n;
/** linux/fs.h. */
const RENAME_FLAGS = { replace: 0, noReplace: 1, exchange: 2 } as const satisfies Record<
  RenameMode,
  number
>;
/** linux/fcntl.h. */
const AT_FDCWD = -100;
const AT_SYMLINK_FOLLOW = 0x400;
/** sys/stat.h: leaves a time as it is. */
const UTIME_OMIT = (1n << 30n) - 2n;
const NS_PER_S = 1_000_000_000n;
/** sys/file.h. */
const LOCK_EX = 2;
const LOCK_NB = 4;

/** limits.h: bytes of a path with its end. */
const PATH_MAX = 4_096;

const DEFAULT_MODE = 0o600;

/** How {@link FileCalls.openBeneath} opens. */
export interface OpenBeneathOptions {
  /** Permission bits of a file that is created. Default: 0o600. */
  readonly mode?: number;
  /** Follow symbolic links as long as they stay beneath the folder. Default: false. */
  readonly followSymlinks?: boolean;
  /** Cross into what is mounted beneath the folder. Default: false. */
  readonly crossMounts?: boolean;
}

/** Times in nanoseconds since 1970, negative before; an absent one stays as it is. */
export interface ExactTimes {
  readonly accessedNs?: bigint | undefined;
  readonly modifiedNs?: bigint | undefined;
}

/** What a rename does with a name that exists already; with `noReplace` that is EEXIST. */
export type RenameMode = "replace" | "noReplace" | "exchange";

/**
 * Calls relative to open folders. Every failure is a {@link LinuxError} (`LINUX_CALL_FAILED`) whose
 * `details.condition` is errno's name ("ENOENT"); its message holds no path.
 */
export interface FileCalls {
  readonly backEnd: BackEnd;
  /**
   * Opens `path` beneath an open folder (openat2(2), Linux 5.6) and answers its descriptor. The
   * kernel refuses what leaves the folder (EXDEV), links (ELOOP), and with EAGAIN what it could not
   * judge because of a rename at the same moment: try again, a bounded number of times. ENOSYS or
   * EPERM: a kernel or container without openat2.
   *
   * @param flags - as for `fs.open`, with {@link O_PATH} and {@link O_TMPFILE}; O_CLOEXEC is added
   */
  openBeneath(directory: number, path: string, flags: number, options?: OpenBeneathOptions): number;
  /** Renames one name to another (renameat2(2)). Names are single components, else EINVAL. */
  rename(
    fromDirectory: number,
    fromName: string,
    toDirectory: number,
    toName: string,
    mode: RenameMode,
  ): void;
  /**
   * Gives an open file a name (linkat(2) through /proc), above all one that was opened with
   * {@link O_TMPFILE}; a name that exists is EEXIST.
   */
  linkDescriptor(descriptor: number, directory: number, name: string): void;
  /**
   * Takes the lock on an open file, or answers false at once where another holds it (flock(2)). The
   * kernel releases it when the last copy of the descriptor is closed, also by death. It binds only
   * those that ask for it, and is of the descriptor: a second `open` of one process competes too.
   */
  tryLock(descriptor: number): boolean;
  /**
   * Sets times of the object that a descriptor names (utimensat(2) through /proc). One of
   * {@link O_PATH} is enough, and with O_NOFOLLOW it names a symbolic link itself. The file system
   * rounds and clamps to what it keeps; seconds that need more than 64 bits are EINVAL.
   */
  setTimes(descriptor: number, times: ExactTimes): void;
}

/**
 * Loads the best back end of this Node: `node:ffi`, else koffi at `koffiEntry` (see `locateKoffi`),
 * else `undefined`, also on other systems. Never throws.
 */
export function loadFileCalls(koffiEntry?: string): FileCalls | undefined {
  const arch = knownArchitecture();
  const native = bindNativeFunctions(
    {
      syscall: ["long", "int", "pointer", "pointer", "long"],
      renameat2: ["int", "pointer", "int", "pointer", "int"],
      linkat: ["int", "pointer", "int", "pointer", "int"],
      flock: ["int", "int"],
      utimensat: ["int", "pointer", "pointer", "int"],
    },
    koffiEntry,
  );
  if (native === undefined || arch === undefined) return undefined;
  const { syscall, renameat2, linkat, flock, utimensat } = native.functions;
  const openat2 = BigInt(SYSTEM_CALL_NUMBERS.openat2[arch]);
  // struct open_how: flags, mode, resolve. One call is over before the next begins.
  const how = new BigUint64Array(3);
  const howBytes = new Uint8Array(how.buffer);
  // Filled anew for each call and never moved: their addresses are taken once (bench: file_openat2_vs_fs).
  const pathBytes = Buffer.alloc(PATH_MAX);
  const howAddress = native.addressOf(howBytes);
  const howLength = BigInt(howBytes.length);
  const pathAddress = native.addressOf(pathBytes);
  const check = (call: string, result: number): number => {
    if (result >= 0) return result;
    throw callFailed(call, native.readErrno());
  };
  return {
    backEnd: native.backEnd,
    openBeneath(directory, path, flags, options = {}) {
      how[0] = BigInt(flags | O_CLOEXEC);
      how[1] = BigInt(creates(flags) ? (options.mode ?? DEFAULT_MODE) : 0);
      how[2] =
        RESOLVE_BENEATH |
        RESOLVE_NO_MAGICLINKS |
        (options.followSymlinks === true ? 0n : RESOLVE_NO_SYMLINKS) |
        (options.crossMounts === true ? 0n : RESOLVE_NO_XDEV);
      writeTerminated("openat2", path, pathBytes);
      return check("openat2", syscall(openat2, directory, pathAddress, howAddress, howLength));
    },
    rename(fromDirectory, fromName, toDirectory, toName, mode) {
      const from = component("renameat2", fromName);
      const to = component("renameat2", toName);
      const flags = RENAME_FLAGS[mode];
      check("renameat2", renameat2(fromDirectory, from, toDirectory, to, flags));
    },
    linkDescriptor(descriptor, directory, name) {
      const from = itself("linkat", descriptor);
      const to = component("linkat", name);
      check("linkat", linkat(AT_FDCWD, from, directory, to, AT_SYMLINK_FOLLOW));
    },
    tryLock(descriptor) {
      if (flock(descriptor, LOCK_EX | LOCK_NB) === 0) return true;
      const errno = native.readErrno();
      if (errno === os.errno.EWOULDBLOCK) return false;
      throw callFailed("flock", errno);
    },
    setTimes(descriptor, { accessedNs, modifiedNs }) {
      // Two struct timespec, each of two C longs.
      const times = BigInt64Array.of(...timespec(accessedNs), ...timespec(modifiedNs));
      const path = itself("utimensat", descriptor);
      check("utimensat", utimensat(AT_FDCWD, path, new Uint8Array(times.buffer), 0));
    },
  };
}

/** The object that a descriptor names, for calls that take paths; a link is not followed further. */
function itself(call: string, descriptor: number): Uint8Array {
  return terminated(call, `/proc/self/fd/${descriptor}`);
}

/** Seconds, and nanoseconds from 0 also before 1970. */
function timespec(ns: bigint | undefined): readonly [bigint, bigint] {
  if (ns === undefined) return [0n, UTIME_OMIT];
  const rest = ((ns % NS_PER_S) + NS_PER_S) % NS_PER_S;
  const seconds = (ns - rest) / NS_PER_S;
  // The time is attacker-controlled: an array would silently keep its last 64 bits.
  if (BigInt.asIntN(64, seconds) !== seconds) throw callFailed("utimensat", os.errno.EINVAL);
  return [seconds, rest];
}

/** openat2 takes a mode only where it may create. */
function creates(flags: number): boolean {
  return (flags & fs.O_CREAT) !== 0 || (flags & O_TMPFILE) === O_TMPFILE;
}

/** A C string. The text is attacker-controlled: a NUL in it would end it early. */
function terminated(call: string, text: string): Uint8Array {
  if (text.includes("\0")) throw callFailed(call, os.errno.EINVAL);
  return Buffer.from(`${text}\0`);
}

/** The same into a buffer that is there. */
function writeTerminated(call: string, text: string, into: Buffer): void {
  if (text.includes("\0")) throw callFailed(call, os.errno.EINVAL);
  // At most three bytes for each UTF-16 code unit.
  if (text.length * 3 >= into.length && Buffer.byteLength(text) >= into.length)
    throw callFailed(call, os.errno.ENAMETOOLONG);
  into[into.write(text)] = 0;
}

/** A name of one folder: with a slash, or as `..`, it would lead out of it. */
function component(call: string, name: string): Uint8Array {
  if (name === "" || name === "." || name === ".." || name.includes("/")) {
    throw callFailed(call, os.errno.EINVAL);
  }
  return terminated(call, name);
}
