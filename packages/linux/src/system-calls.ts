/**
 * @module System calls from JavaScript, through `node:ffi` (Node 26.1 and newer) or the optional
 * dependency koffi (Node 22 and 24). A process that is about to hold untrusted code uses them to
 * restrict itself; it then drops the permission to load anything else.
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** What a back end offers: plain numbers in and out, negative or −1 = failed. */
export interface SystemCalls {
  readonly backEnd: "node:ffi" | "koffi";
  /** prctl(2). */
  prctl(option: number, argument: number): number;
  /** setrlimit(2) with one value for the soft and the hard limit, in the resource's own unit. */
  setResourceLimit(resource: number, value: bigint): number;
}

/** Where koffi is, and which folders a process under the permission model must read to load it. */
export interface KoffiLocation {
  readonly entry: string;
  readonly readable: readonly string[];
}

/** Finds koffi where it is installed; `undefined` where it is not. */
export function locateKoffi(): KoffiLocation | undefined {
  const require = createRequire(import.meta.url);
  try {
    const entry = require.resolve("koffi");
    const modules = dirname(dirname(entry));
    return {
      entry,
      readable: [join(modules, "koffi"), join(modules, "@koromix"), join(modules, "package.json")],
    };
  } catch {
    return undefined;
  }
}

/**
 * Loads the best back end of this Node: `node:ffi`, else koffi at `koffiEntry`, else `undefined`.
 * Never throws: a missing back end is a level of protection, which the caller reports.
 */
export function loadSystemCalls(koffiEntry?: string): SystemCalls | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    return throughNodeFfi() ?? (koffiEntry === undefined ? undefined : throughKoffi(koffiEntry));
  } catch {
    return undefined;
  }
}

/** The part of `node:ffi` (Stability 1) that is used here. */
interface NodeFfi {
  dlopen(
    path: null,
    symbols: Record<string, { arguments: string[]; return: string }>,
  ): { functions: Record<string, (...args: (number | bigint)[]) => number> };
  getRawPointer(view: Uint8Array): bigint;
}

function throughNodeFfi(): SystemCalls | undefined {
  const ffi = process.getBuiltinModule("node:ffi") as unknown as NodeFfi | undefined;
  if (ffi === undefined) return undefined;
  const { functions } = ffi.dlopen(null, {
    prctl: { arguments: ["int32", "uint64", "uint64", "uint64", "uint64"], return: "int32" },
    setrlimit: { arguments: ["int32", "uint64"], return: "int32" },
  });
  const { prctl, setrlimit } = functions;
  if (prctl === undefined || setrlimit === undefined) return undefined;
  // struct rlimit of 64-bit Linux: soft limit, hard limit. The pointer is taken now: after permission.drop("ffi") no other can be had.
  const pair = new BigUint64Array(2);
  const pointer = ffi.getRawPointer(new Uint8Array(pair.buffer));
  return {
    backEnd: "node:ffi",
    prctl: (option, argument) => prctl(option, BigInt(argument), 0n, 0n, 0n),
    setResourceLimit: (resource, value) => setrlimit(resource, (pair.fill(value), pointer)),
  };
}

/** The part of koffi that is used here. */
interface Koffi {
  load(path: null): { func(signature: string): (...args: unknown[]) => number };
}

function throughKoffi(entry: string): SystemCalls {
  const koffi = createRequire(entry)(entry) as Koffi;
  const libc = koffi.load(null);
  const prctl = libc.func(
    "int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)",
  );
  const setrlimit = libc.func("int setrlimit(int, const void *)");
  return {
    backEnd: "koffi",
    prctl: (option, argument) => prctl(option, argument, 0, 0, 0),
    setResourceLimit: (resource, value) =>
      setrlimit(resource, new Uint8Array(new BigUint64Array([value, value]).buffer)),
  };
}
