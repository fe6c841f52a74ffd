/**
 * @module The Extism kernel as the runner uses it: our own module, compiled from kernel.wat at
 * build, one instance beside each plugin. Blocks live in the kernel's memory; a handle is a block's
 * offset there, and 0 means none.
 */
import { WASM_PAGE_BYTES } from "../../limits.ts";
import { EXTISM_KERNEL_IMPORTS } from "../../protocol/abi-requirements.ts";
import tollBytes from "./kernel-toll.wat";
import kernelBytes from "./kernel.wat";
import payBytes from "./pay.wat";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** The exports that only the runner calls. */
interface PrivateExports {
  readonly memory: WebAssembly.Memory;
  alloc(length: bigint): bigint;
  free(handle: bigint): void;
  length(handle: bigint): bigint;
  reset(): void;
  begin_input(length: bigint): bigint;
  output_offset(): bigint;
  output_length(): bigint;
  error_get(): bigint;
}

/** The kernel's functions as one module imports them. */
export interface KernelOffer {
  readonly imports: Readonly<Record<string, WebAssembly.ExportValue>>;
  /** To be told the module's fuel before it runs; absent where they are free. */
  readonly connect?: (fuel: WebAssembly.Global) => void;
}

/** One kernel. */
export interface Kernel extends KernelOffer {
  /** The same functions at a price, for one module. */
  forSale(): KernelOffer;
  /** Frees everything and takes a new input; `false` when there is no memory for it. */
  begin(input: Uint8Array): boolean;
  /** The output as a view of the kernel's memory. */
  output(): Uint8Array;
  /** The error that the plugin set. */
  error(): string | undefined;
  /** The bytes of a block, copied; empty for a handle that is none. */
  read(handle: bigint): Uint8Array;
  /** Puts bytes into a new block; 0 when there is no memory. */
  write(bytes: Uint8Array): bigint;
  writeText(text: string): bigint;
  free(handle: bigint): void;
  pages(): number;
}

let compiled: WebAssembly.Module | undefined;
let compiledToll: readonly [toll: WebAssembly.Module, pay: WebAssembly.Module] | undefined;

/** Makes a kernel; the module is compiled once per process. */
export function createKernel(): Kernel {
  compiled ??= new WebAssembly.Module(kernelBytes);
  const instance = new WebAssembly.Instance(compiled);
  const kernel = instance.exports as unknown as PrivateExports;
  const imports: Record<string, WebAssembly.ExportValue> = {};
  for (const name of EXTISM_KERNEL_IMPORTS) {
    const value = instance.exports[name];
    if (value !== undefined) imports[name] = value;
  }

  // Offsets and lengths come from our own kernel, but a plugin chooses the handles it passes.
  const view = (handle: bigint, length: bigint): Uint8Array =>
    new Uint8Array(kernel.memory.buffer, Number(handle), Number(length));
  const read = (handle: bigint): Uint8Array => {
    const length = kernel.length(handle);
    return length === 0n ? new Uint8Array(0) : view(handle, length).slice();
  };
  const write = (bytes: Uint8Array): bigint => {
    const handle = kernel.alloc(BigInt(bytes.length));
    if (handle !== 0n) view(handle, BigInt(bytes.length)).set(bytes);
    return handle;
  };
  return {
    imports,
    forSale: () => forSale(imports),
    begin(input) {
      kernel.reset();
      const length = BigInt(input.length);
      const handle = kernel.begin_input(length);
      if (handle === 0n) return input.length === 0;
      view(handle, length).set(input);
      return true;
    },
    output() {
      const at = kernel.output_offset();
      const length = kernel.output_length();
      return at === 0n ? new Uint8Array(0) : view(at, length);
    },
    error() {
      const handle = kernel.error_get();
      return handle === 0n ? undefined : decoder.decode(read(handle));
    },
    read,
    write,
    writeText: (text) => write(encoder.encode(text)),
    free: (handle) => kernel.free(handle),
    pages: () => kernel.memory.buffer.byteLength / WASM_PAGE_BYTES,
  };
}

/** The kernel's functions behind a toll that is paid in WebAssembly: a plugin calls them for each byte. */
function forSale(kernel: KernelOffer["imports"]): KernelOffer {
  compiledToll ??= [new WebAssembly.Module(tollBytes), new WebAssembly.Module(payBytes)];
  const [toll, pay] = compiledToll;
  const { tollgate, ...imports } = new WebAssembly.Instance(toll, { kernel }).exports;
  return {
    imports,
    connect(left) {
      const { pay: payUnits } = new WebAssembly.Instance(pay, { fuel: { left } }).exports;
      (tollgate as WebAssembly.Table).set(0, payUnits);
    },
  };
}
