/**
 * @module System calls by name, with which a process that is about to hold untrusted code restricts
 * itself; it then drops the permission to bind anything else.
 */
import { type BackEnd, bindNativeFunctions } from "../native-functions.ts";
import {
  type Architecture,
  knownArchitecture,
  SYSTEM_CALL_NUMBERS,
  type SystemCallName,
} from "../system-call-numbers.ts";

/** What a back end offers. */
export interface SystemCalls {
  readonly backEnd: BackEnd;
  readonly architecture: Architecture;
  /**
   * Makes a call (syscall(2)) with up to six arguments; answers what it answers, at most 31 bits of
   * it, or errno as a negative number.
   */
  call(name: SystemCallName, ...args: readonly (number | bigint)[]): number;
  /**
   * The address of a buffer, which is kept alive for ever: for few and small ones. Take it early:
   * after `permission.drop("ffi")` none can be had.
   */
  addressOf(bytes: Uint8Array): bigint;
  /** Gives memory that the C library holds free back to the kernel (malloc_trim(3)); without glibc it does nothing. */
  releaseFreeMemory(): void;
}

const MAX_ARGUMENTS = 6;
const ENOSYS = 38;

/**
 * Loads the best back end of this Node: `node:ffi`, else koffi at `koffiEntry`, else `undefined`,
 * also on other systems and architectures. Never throws.
 */
export function loadSystemCalls(koffiEntry?: string): SystemCalls | undefined {
  const architecture = knownArchitecture();
  if (architecture === undefined) return undefined;
  const native = bindNativeFunctions(
    { syscall: ["long", "long", "long", "long", "long", "long", "long"] },
    koffiEntry,
  );
  if (native === undefined) return undefined;
  const { syscall } = native.functions;
  // Apart: binding fails as a whole where one function is missing, and glibc alone has this one.
  const trim = bindNativeFunctions({ malloc_trim: ["long"] }, koffiEntry)?.functions.malloc_trim;
  const kept: Uint8Array[] = [];
  return {
    backEnd: native.backEnd,
    architecture,
    call(name, ...args) {
      const number = SYSTEM_CALL_NUMBERS[name][architecture];
      if (number === null) return -ENOSYS;
      const padded = [...args, ...Array<number>(MAX_ARGUMENTS - args.length).fill(0)];
      const result = syscall(BigInt(number), ...padded.map(BigInt));
      return result === -1 ? -native.readErrno() : result;
    },
    addressOf(bytes) {
      kept.push(bytes);
      return native.addressOf(bytes);
    },
    releaseFreeMemory: () => void trim?.(0n),
  };
}
