/** @module The Extism kernel in the test's own process: it is our code, and a plugin reaches it only through its exports. */
import { readFile } from "node:fs/promises";

import wabt from "wabt";

/** What kernel.wat exports. */
export interface Kernel {
  readonly memory: WebAssembly.Memory;
  alloc(size: bigint): bigint;
  free(handle: bigint): void;
  length(handle: bigint): bigint;
  length_unsafe(handle: bigint): bigint;
  load_u8(offset: bigint): number;
  load_u64(offset: bigint): bigint;
  store_u8(offset: bigint, value: number): void;
  store_u64(offset: bigint, value: bigint): void;
  input_offset(): bigint;
  input_length(): bigint;
  input_load_u8(offset: bigint): number;
  input_load_u64(offset: bigint): bigint;
  output_set(offset: bigint, length: bigint): void;
  output_offset(): bigint;
  output_length(): bigint;
  error_set(handle: bigint): void;
  error_get(): bigint;
  begin_input(length: bigint): bigint;
  reset(): void;
}

/** Where blocks begin. */
export const HEAP = 16_640n;
/** One more than the largest i64. */
export const TWO_64 = 2n ** 64n;
const source = new URL("../../src/abi/extism/kernel.wat", import.meta.url);

/** The kernel, with a declared maximum where a test stands in for the runner's cap on pages. */
export async function assembleKernel(maximumPages?: number): Promise<WebAssembly.Module> {
  const text = (await readFile(source, "utf8")).replace(
    '(memory (export "memory") 1)',
    `(memory (export "memory") 1 ${maximumPages ?? ""})`,
  );
  const parsed = (await wabt()).parseWat("kernel.wat", text, { bulk_memory: true });
  try {
    parsed.resolveNames();
    parsed.validate();
    return new WebAssembly.Module(new Uint8Array(parsed.toBinary({}).buffer));
  } finally {
    parsed.destroy();
  }
}

const plain = assembleKernel();

/** The exports are what kernel.wat declares. */
export async function startKernel(module: Promise<WebAssembly.Module> = plain): Promise<Kernel> {
  const { exports } = new WebAssembly.Instance(await module, {});
  return exports as unknown as Kernel;
}

/** A view of the kernel's memory, good until it grows. */
export function bytesAt(kernel: Kernel, offset: bigint, length: number): Uint8Array {
  return new Uint8Array(kernel.memory.buffer, Number(offset), length);
}
