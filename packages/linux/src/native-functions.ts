/**
 * @module Functions of the C library from JavaScript, through `node:ffi` (Node 26.1 and newer) or
 * the optional dependency koffi (Node 22 and 24). The only file that knows either.
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** What binds the functions. */
export type BackEnd = "node:ffi" | "koffi";

/** C types of arguments; a `pointer` is a buffer that the call may read and write. */
export type ArgumentType = "int" | "long" | "pointer";

/** Arguments of each function by its name in the C library. All answer an `int`. */
export type Signatures<Name extends string = string> = Readonly<
  Record<Name, readonly ArgumentType[]>
>;

/** An `int` is a number, a `long` a bigint, a `pointer` a buffer or an address. */
export type Argument = number | bigint | Uint8Array;

/** Bound functions. */
export interface NativeFunctions<Name extends string> {
  readonly backEnd: BackEnd;
  readonly functions: Readonly<Record<Name, (...args: readonly Argument[]) => number>>;
  /** `errno` of the function that was called last on this thread. */
  readErrno(): number;
  /** The address of a buffer, which must be kept alive while it is used. */
  addressOf(bytes: Uint8Array): bigint;
}

/** Where koffi is, and which folders a process under the permission model must read to load it. */
export interface KoffiLocation {
  /** Path of the program. */
  readonly entry: string;
  /** Paths to allow with `--allow-fs-read`. */
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
 * Binds functions with the best back end of this Node: `node:ffi`, else koffi at `koffiEntry`, else
 * `undefined`. Never throws: a missing back end is a level of protection, which the caller reports.
 */
export function bindNativeFunctions<Name extends string>(
  signatures: Signatures<Name>,
  koffiEntry: string | undefined,
): NativeFunctions<Name> | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    return (
      throughNodeFfi(signatures) ??
      (koffiEntry === undefined ? undefined : throughKoffi(signatures, koffiEntry))
    );
  } catch {
    return undefined;
  }
}

/** The part of `node:ffi` (Stability 1) that is used here. */
interface NodeFfi {
  dlopen(
    path: null,
    symbols: Record<string, { arguments: string[]; return: string }>,
  ): { functions: Record<string, (...args: Argument[]) => number | bigint> };
  getRawPointer(view: Uint8Array): bigint;
  toArrayBuffer(pointer: bigint, length: number, copy: boolean): ArrayBuffer;
}

const FFI_TYPES = { int: "int32", long: "int64", pointer: "pointer" } as const;

function throughNodeFfi<Name extends string>(
  signatures: Signatures<Name>,
): NativeFunctions<Name> | undefined {
  const ffi = process.getBuiltinModule("node:ffi") as unknown as NodeFfi | undefined;
  if (ffi === undefined) return undefined;
  const names = Object.keys(signatures) as Name[];
  const { functions } = ffi.dlopen(null, {
    __errno_location: { arguments: [], return: "pointer" },
    ...Object.fromEntries(
      names.map((name) => [
        name,
        { arguments: signatures[name].map((type) => FFI_TYPES[type]), return: "int32" },
      ]),
    ),
  });
  // The thread's own errno as memory: reading it calls nothing that could change it.
  const errno = new Int32Array(
    ffi.toArrayBuffer(
      functions["__errno_location"]?.() as bigint,
      Int32Array.BYTES_PER_ELEMENT,
      false,
    ),
  );
  return {
    backEnd: "node:ffi",
    functions: bound(names, (name) => functions[name] as (...args: readonly Argument[]) => number),
    readErrno: () => errno[0] ?? 0,
    addressOf: (bytes) => ffi.getRawPointer(bytes),
  };
}

/** The part of koffi that is used here. */
interface Koffi {
  load(path: null): { func(signature: string): (...args: readonly Argument[]) => number };
  errno(): number;
  address(bytes: Uint8Array): bigint;
}

const KOFFI_TYPES = { int: "int", long: "long", pointer: "void *" } as const;

function throughKoffi<Name extends string>(
  signatures: Signatures<Name>,
  entry: string,
): NativeFunctions<Name> {
  const koffi = createRequire(entry)(entry) as Koffi;
  const libc = koffi.load(null);
  return {
    backEnd: "koffi",
    functions: bound(Object.keys(signatures) as Name[], (name) =>
      libc.func(`int ${name}(${signatures[name].map((type) => KOFFI_TYPES[type]).join(", ")})`),
    ),
    readErrno: () => koffi.errno(),
    addressOf: (bytes) => koffi.address(bytes),
  };
}

function bound<Name extends string>(
  names: readonly Name[],
  bind: (name: Name) => (...args: readonly Argument[]) => number,
): Record<Name, (...args: readonly Argument[]) => number> {
  return Object.fromEntries(names.map((name) => [name, bind(name)])) as Record<
    Name,
    (...args: readonly Argument[]) => number
  >;
}
