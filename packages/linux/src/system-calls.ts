/**
 * @module The system calls with which a process that is about to hold untrusted code restricts
 * itself; it then drops the permission to load anything else.
 */
import { type BackEnd, bindNativeFunctions } from "./native-functions.ts";

/** What a back end offers: plain numbers in and out, negative or −1 = failed. */
export interface SystemCalls {
  readonly backEnd: BackEnd;
  /** prctl(2). */
  prctl(option: number, argument: number): number;
  /** setrlimit(2) with one value for the soft and the hard limit, in the resource's own unit. */
  setResourceLimit(resource: number, value: bigint): number;
}

/** Loads the best back end of this Node, see {@link loadFileCalls}; `undefined` where there is none. */
export function loadSystemCalls(koffiEntry?: string): SystemCalls | undefined {
  const native = bindNativeFunctions(
    {
      prctl: ["int", "long", "long", "long", "long"],
      setrlimit: ["int", "pointer"],
    },
    koffiEntry,
  );
  if (native === undefined) return undefined;
  const { prctl, setrlimit } = native.functions;
  // struct rlimit of 64-bit Linux: soft limit, hard limit. The pointer is taken now: after permission.drop("ffi") no other can be had.
  const pair = new BigUint64Array(2);
  const pointer = native.addressOf(new Uint8Array(pair.buffer));
  return {
    backEnd: native.backEnd,
    prctl: (option, argument) => prctl(option, argument, 0, 0, 0),
    setResourceLimit: (resource, value) => setrlimit(resource, (pair.fill(value), pointer)),
  };
}
