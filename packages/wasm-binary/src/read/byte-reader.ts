/**
 * @module A position in the bytes of a module, and what the binary format is made of: LEB128
 * integers, vectors, names, value types (core specification 5.2 and 5.3). A read beyond the bytes
 * answers `undefined`, which every path below turns into an error: nothing is believed before that.
 */
import { WasmBinaryError, type WasmBinaryErrorCode } from "../errors.ts";
import { MAX_LEB32_BYTES, MAX_LEB64_BYTES } from "../limits.ts";

/** Added to a heap type to make it positive: abstract types are above -64. */
export const HEAP_BIAS = 64;

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads forward through `bytes` up to `end`. Positions are offsets in the module. */
export class ByteReader {
  readonly bytes: Uint8Array;
  /** Offset of the next byte. */
  position: number;
  /** Offset behind the last byte. */
  end: number;
  /** The highest type index that a heap type has named so far; -1 before the first. */
  highestType = -1;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
  }

  /** Goes elsewhere. */
  seek(start: number, end: number = this.bytes.length): void {
    this.position = start;
    this.end = end;
  }

  /** The next byte. */
  byte(): number {
    if (this.position >= this.end) this.fail("WASM_BINARY_END", this.end, "the bytes end here");
    return this.bytes[this.position++] as number;
  }

  /** A u32 in LEB128. */
  u32(): number {
    const { bytes } = this;
    const start = this.position;
    const first = bytes[start] as number;
    if (first < 0x80 && start < this.end) {
      this.position = start + 1;
      return first;
    }
    let value = 0;
    for (let index = 0; index < MAX_LEB32_BYTES; index++) {
      const byte = this.byte();
      if (index === MAX_LEB32_BYTES - 1 && byte > 0x0f) {
        this.fail("WASM_BINARY_INTEGER", start, "a u32 is too long or too large");
      }
      value |= (byte & 0x7f) << (7 * index);
      if (byte < 0x80) break;
    }
    return value >>> 0;
  }

  /** An s33 in LEB128: block and heap types. */
  s33(): number {
    const start = this.position;
    let value = 0;
    for (let index = 0; index < MAX_LEB32_BYTES; index++) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** (7 * index);
      // Of the last byte five bits count, and its bits above must repeat the sign bit.
      if (index === MAX_LEB32_BYTES - 1 && byte > 0x0f && (byte < 0x70 || byte > 0x7f)) {
        this.fail("WASM_BINARY_INTEGER", start, "an s33 is too long or too large");
      }
      if (byte < 0x80) return (byte & 0x40) === 0 ? value : value - 2 ** (7 * (index + 1));
    }
    return value;
  }

  /** A u64 in LEB128. */
  u64(): bigint {
    const start = this.position;
    let value = 0n;
    for (let index = 0; index < MAX_LEB64_BYTES; index++) {
      const byte = this.byte();
      if (index === MAX_LEB64_BYTES - 1 && byte > 1) {
        this.fail("WASM_BINARY_INTEGER", start, "a u64 is too long or too large");
      }
      value |= BigInt(byte & 0x7f) << BigInt(7 * index);
      if (byte < 0x80) break;
    }
    return value;
  }

  /**
   * The count of a vector whose entries take at least `minimum` bytes each. A count is
   * attacker-controlled: one that the bytes left cannot hold is refused before anything is made of it.
   */
  count(minimum: number): number {
    const start = this.position;
    const count = this.u32();
    if (count * minimum > this.end - this.position) {
      this.fail("WASM_BINARY_COUNT", start, `${count} entries do not fit the bytes left`);
    }
    return count;
  }

  /** Skips `length` bytes and answers where they began. */
  skip(length: number): number {
    const start = this.position;
    if (length > this.end - start) {
      this.fail("WASM_BINARY_END", start, `${length} bytes wanted, ${this.end - start} left`);
    }
    this.position = start + length;
    return start;
  }

  /** Skips a name after checking that it is UTF-8. */
  skipName(): void {
    const length = this.u32();
    const start = this.skip(length);
    for (let at = start; at < this.position; at++) {
      if ((this.bytes[at] as number) < 0x80) continue;
      this.#decode(start, this.position);
      return;
    }
  }

  /** A name. */
  name(): string {
    const length = this.u32();
    const start = this.skip(length);
    return this.#decode(start, this.position);
  }

  /**
   * A value type as one number, at least 0: the byte of a short form, and
   * `byte + 256 × (heap type + 64)` for 0x63 (nullable) and 0x64 references, where a heap type is a
   * type index or an abstract type as s33.
   */
  valueType(): number {
    const start = this.position;
    const byte = this.byte();
    if (byte === 0x63 || byte === 0x64) return byte + 256 * (this.heapType() + HEAP_BIAS);
    if ((byte >= 0x7b && byte <= 0x7f) || isAbstractHeapByte(byte)) return byte;
    return this.fail("WASM_BINARY_TYPE", start, `0x${byte.toString(16)} is no value type`);
  }

  /** A reference type, as {@link ByteReader.valueType}. */
  referenceType(): number {
    const start = this.position;
    const type = this.valueType();
    if (type >= 0x7b && type <= 0x7f) {
      this.fail("WASM_BINARY_TYPE", start, "a reference type is wanted here");
    }
    return type;
  }

  /** A heap type: an index, or an abstract type as a negative number. */
  heapType(): number {
    const start = this.position;
    const type = this.s33();
    if (type < 0 && !isAbstractHeapByte(type + 0x80)) {
      this.fail("WASM_BINARY_TYPE", start, `${type} is no heap type`);
    }
    if (type > this.highestType) this.highestType = type;
    return type;
  }

  /** Ends the reading. */
  fail(code: WasmBinaryErrorCode, offset: number, problem: string): never {
    throw new WasmBinaryError(code, offset, problem);
  }

  #decode(start: number, end: number): string {
    try {
      return UTF8.decode(this.bytes.subarray(start, end));
    } catch {
      return this.fail("WASM_BINARY_NAME", start, "a name is not UTF-8");
    }
  }
}

/** noexn (0x74), nofunc … exn (0x69): the abstract heap types (core specification 5.3.3). */
function isAbstractHeapByte(byte: number): boolean {
  return byte >= 0x69 && byte <= 0x74;
}
