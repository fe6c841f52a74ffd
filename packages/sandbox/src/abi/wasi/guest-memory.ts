/**
 * @module The memory of the module that made a WASI call. Every pointer, length and count is
 * attacker-controlled: it is read as unsigned and checked against the memory before a byte is
 * touched, and sums are made of doubles, which do not wrap where 32 bits would.
 */
import { PluginFailure } from "../abi.ts";
import type { Toll } from "../fuel.ts";
import { ERRNO, fail } from "./errno.ts";

/** Ranges in one vector of buffers: IOV_MAX of Linux. */
const MAX_VECTORS = 1024;
const VECTOR_BYTES = 8;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Memory of one module, which is known only once the module is instantiated. */
export class GuestMemory {
  readonly #toll: Toll;
  #memory: WebAssembly.Memory | undefined;
  #buffer: ArrayBuffer | undefined;
  #bytes = new Uint8Array(0);
  #view = new DataView(new ArrayBuffer(0));

  /** `toll` is paid for every range that is asked for. */
  constructor(toll: Toll) {
    this.#toll = toll;
  }

  /** The module's exported memory. */
  attach(memory: WebAssembly.Memory): void {
    this.#memory = memory;
  }

  /** `length` bytes at `at`, as a view that is valid until the module runs again. */
  bytes(at: number, length: number): Uint8Array {
    const start = at >>> 0;
    const size = length >>> 0;
    this.#check(start, size);
    this.#toll.bytes(size);
    return this.#bytes.subarray(start, start + size);
  }

  /** Is paid before the entries of a list, each of which is read and checked by itself. */
  entries(count: number): void {
    this.#toll.call(count);
  }

  /** UTF-8 text. */
  text(at: number, length: number): string {
    try {
      return decoder.decode(this.bytes(at, length));
    } catch (error) {
      if (error instanceof TypeError) fail(ERRNO.ILSEQ);
      throw error;
    }
  }

  /** The ranges that a vector of buffers names, all of them inside the memory. */
  vectors(at: number, count: number): readonly Uint8Array[] {
    const many = count >>> 0;
    if (many > MAX_VECTORS) fail(ERRNO.INVAL);
    const start = at >>> 0;
    this.#check(start, many * VECTOR_BYTES);
    this.entries(many);
    return Array.from({ length: many }, (_, index) => {
      const entry = start + index * VECTOR_BYTES;
      return this.bytes(this.u32(entry), this.u32(entry + 4));
    });
  }

  u8(at: number): number {
    this.#check(at >>> 0, 1);
    return this.#view.getUint8(at >>> 0);
  }

  u16(at: number): number {
    this.#check(at >>> 0, 2);
    return this.#view.getUint16(at >>> 0, true);
  }

  u32(at: number): number {
    this.#check(at >>> 0, 4);
    return this.#view.getUint32(at >>> 0, true);
  }

  u64(at: number): bigint {
    this.#check(at >>> 0, 8);
    return this.#view.getBigUint64(at >>> 0, true);
  }

  setU32(at: number, value: number): void {
    this.#check(at >>> 0, 4);
    this.#view.setUint32(at >>> 0, value, true);
  }

  setU64(at: number, value: bigint): void {
    this.#check(at >>> 0, 8);
    this.#view.setBigUint64(at >>> 0, value, true);
  }

  /** A checked range to fill in. */
  struct(at: number, length: number): DataView {
    const { buffer, byteOffset } = this.bytes(at, length);
    return new DataView(buffer, byteOffset, length);
  }

  #check(at: number, length: number): void {
    const buffer = this.#memory?.buffer;
    if (buffer === undefined) {
      throw new PluginFailure("SANDBOX_ABI", "WASI needs the module's memory as the export memory");
    }
    if (buffer !== this.#buffer) {
      this.#buffer = buffer;
      this.#bytes = new Uint8Array(buffer);
      this.#view = new DataView(buffer);
    }
    if (at + length > this.#bytes.length) fail(ERRNO.FAULT);
  }
}
