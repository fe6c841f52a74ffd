/** @module Bytes being written: what {@link ByteReader} reads, in the shortest encoding. */
import { WasmBinaryError } from "../errors.ts";

const TEXT = new TextEncoder();
const SHORT_COPY = 32;
const PADDED_U32_BYTES = 5;

/** A growing buffer. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  /** `capacity`: bytes expected. */
  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** Bytes written. */
  get length(): number {
    return this.#length;
  }

  /** Forgets everything written, and keeps the buffer. */
  clear(): void {
    this.#length = 0;
  }

  byte(value: number): void {
    if (this.#length === this.#bytes.length) this.#grow(1);
    this.#bytes[this.#length++] = value;
  }

  /** Several bytes. */
  raw(values: ArrayLike<number>): void {
    this.#grow(values.length);
    this.#bytes.set(values, this.#length);
    this.#length += values.length;
  }

  /** `source` from `start` up to `end`. */
  copy(source: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (length <= 0) return;
    this.#grow(length);
    if (length < SHORT_COPY) {
      let at = this.#length;
      for (let from = start; from < end; from++) this.#bytes[at++] = source[from] as number;
    } else this.#bytes.set(source.subarray(start, end), this.#length);
    this.#length += length;
  }

  /** Everything that `other` holds. */
  append(other: ByteWriter): void {
    this.copy(other.#bytes, 0, other.#length);
  }

  /** An unsigned integer of at most 53 bits in LEB128. */
  unsigned(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.byte((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.byte(rest);
  }

  /** A signed integer of at most 53 bits in LEB128. */
  signed(value: number): void {
    let rest = value;
    for (;;) {
      const low = ((rest % 0x80) + 0x80) % 0x80;
      rest = Math.floor(rest / 0x80);
      if ((rest === 0 && low < 0x40) || (rest === -1 && low >= 0x40)) return this.byte(low);
      this.byte(low | 0x80);
    }
  }

  /** A signed 64-bit integer in LEB128. */
  signed64(value: bigint): void {
    let rest = BigInt.asIntN(64, value);
    for (;;) {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      if ((rest === 0n && low < 0x40) || (rest === -1n && low >= 0x40)) return this.byte(low);
      this.byte(low | 0x80);
    }
  }

  /** An unsigned 64-bit integer in LEB128. */
  unsigned64(value: bigint): void {
    let rest = BigInt.asUintN(64, value);
    while (rest >= 0x80n) {
      this.byte(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.byte(Number(rest));
  }

  /** The low `count` bytes of `value`, the lowest first. */
  littleEndian(value: bigint, count: number): void {
    for (let index = 0; index < count; index++)
      this.byte(Number((value >> BigInt(8 * index)) & 0xffn));
  }

  /** A name in UTF-8 with its length. */
  name(text: string): void {
    const bytes = TEXT.encode(text);
    this.unsigned(bytes.length);
    this.raw(bytes);
  }

  /** Leaves room for a u32 in five bytes; answers its place for {@link ByteWriter.fill}. */
  hole(): number {
    const at = this.#length;
    this.raw(new Uint8Array(PADDED_U32_BYTES));
    return at;
  }

  /** Writes into a hole the number of bytes written behind it. */
  fill(at: number): void {
    let value = this.#length - at - PADDED_U32_BYTES;
    for (let index = 0; index < PADDED_U32_BYTES; index++) {
      this.#bytes[at + index] = (value & 0x7f) | (index < PADDED_U32_BYTES - 1 ? 0x80 : 0);
      value >>>= 7;
    }
  }

  /** A copy of the bytes written. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  #grow(more: number): void {
    const wanted = this.#length + more;
    if (wanted <= this.#bytes.length) return;
    if (wanted > MAX_BYTES) {
      throw new WasmBinaryError("WASM_BINARY_LIMIT", 0, `more than ${MAX_BYTES} bytes to write`);
    }
    const wider = new Uint8Array(Math.max(wanted, 2 * this.#bytes.length));
    wider.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = wider;
  }
}

/** kV8MaxWasmModuleSize (src/wasm/wasm-limits.h). */
const MAX_BYTES = 1_073_741_824;
