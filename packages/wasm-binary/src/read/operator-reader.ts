/**
 * @module Reads the operators of one function body or constant expression. The loop makes no object
 * for an operator: it answers the opcode number and leaves the immediates in fields, which the next
 * step overwrites (hot: bench `wasm`, key reader_vs_wasmparser). Work is linear in the bytes.
 */
import { MAX_LEB64_BYTES, MAX_LIST } from "../limits.ts";
import { opcodeOf } from "../opcode/operator.ts";
import { SHAPE, SHAPES } from "../opcode/shape.ts";
import { ByteReader } from "./byte-reader.ts";

const KIND_BLOCK = 0;
const KIND_IF = 1;
const KIND_ELSE = 2;
const KIND_TRY = 3;
const KIND_CATCH = 4;
const KIND_CATCH_ALL = 5;

/** Bit 6 of a memory operator's alignment says that a memory index follows (multi-memory). */
const HAS_MEMORY_INDEX = 0x40;
const MAX_ALIGNMENT_FLAGS = 0x7f;
const MAX_CAST_FLAGS = 3;
const LAST_CATCH_KIND = 3;
const CATCH_WITH_TAG = 1;
const MAX_U32 = 0xffff_ffff;

/**
 * A cursor over operators. After `next()` the fields below describe the operator read; which of them
 * are set follows from its immediates in the table.
 */
export class OperatorReader extends ByteReader {
  /** Offset of the operator's first byte. */
  offset = 0;
  /** Blocks that are open behind the operator, the body itself counted; 0 behind its last `end`. */
  depth = 0;
  /** First index, block type, heap type, alignment (log 2), lane, or flags. */
  first = 0;
  /** Second index, memory index of a memory operator, or first heap type of a cast. */
  second = 0;
  /** Lane of a memory operator with one, or second heap type of a cast. */
  third = 0;
  /** Low 32 bits, signed: of a constant or of a memory operator's offset. */
  low = 0;
  /** High 32 bits, signed. */
  high = 0;
  /** Targets of `br_table` (the default last), types of `select`, or catches as kind, tag, label. */
  list: Float64Array = new Float64Array(64);
  /** Entries of `list` in use. */
  listLength = 0;
  /** Locals that the body opened last declares, parameters not counted. */
  localCount = 0;
  #blocks = new Uint8Array(64);

  /** Begins with the operator at `start`; an expression may not go beyond `end`. */
  open(start: number, end: number): void {
    this.seek(start, end);
    this.depth = 1;
    this.#blocks[1] = KIND_BLOCK;
  }

  /**
   * Reads one operator and answers its opcode number, or -1 when the expression has ended.
   *
   * @throws {@link WasmBinaryError} at bytes that are no operator.
   */
  next(): number {
    const { bytes, end } = this;
    if (this.depth === 0) return -1;
    let at = this.position;
    this.offset = at;
    let opcode = bytes[at++] as number;
    let shape = SHAPES[opcode] as number;
    if (at > end) this.#fail("WASM_BINARY_BODY", "the expression ends with open blocks");
    if (shape === (23 satisfies typeof SHAPE.prefix)) {
      this.position = at;
      opcode = opcodeOf(opcode, this.u32());
      shape = opcode < 0 ? 0 : (SHAPES[opcode] as number);
      at = this.position;
    }
    // Literals: V8 makes a jump table of them, and this loop a third faster.
    switch (shape) {
      case 1 satisfies typeof SHAPE.none:
        break;
      case 2 satisfies typeof SHAPE.index: {
        const byte = bytes[at] as number;
        const second = bytes[at + 1] as number;
        if (byte < 0x80) {
          this.first = byte;
          at++;
        } else if (second < 0x80) {
          this.first = (byte & 0x7f) | (second << 7);
          at += 2;
        } else {
          this.position = at;
          this.first = this.u32();
          at = this.position;
        }
        break;
      }
      case 4 satisfies typeof SHAPE.memarg: {
        const flags = bytes[at] as number;
        const offset = bytes[at + 1] as number;
        const second = bytes[at + 2] as number;
        if (flags < HAS_MEMORY_INDEX && offset < 0x80) {
          this.first = flags;
          this.second = 0;
          this.low = offset;
          this.high = 0;
          at += 2;
        } else if (flags < HAS_MEMORY_INDEX && second < 0x80) {
          this.first = flags;
          this.second = 0;
          this.low = (offset & 0x7f) | (second << 7);
          this.high = 0;
          at += 3;
        } else {
          this.position = at;
          this.#memarg();
          at = this.position;
        }
        break;
      }
      case 5 satisfies typeof SHAPE.i32: {
        const byte = bytes[at] as number;
        const second = bytes[at + 1] as number;
        if (byte < 0x80) {
          this.low = (byte << 25) >> 25;
          at++;
        } else if (second < 0x80) {
          this.low = (byte & 0x7f) | ((second << 25) >> 18);
          at += 2;
        } else {
          this.position = at;
          this.#signed(5);
          at = this.position;
        }
        break;
      }
      case 7 satisfies typeof SHAPE.end:
        this.depth--;
        break;
      default:
        this.position = at;
        this.#rare(shape);
        at = this.position;
    }
    // One check for all reads above: they may have run into the bytes behind the expression.
    if (at > end || this.position > end) this.#fail("WASM_BINARY_END", "an operator is cut short");
    this.position = at;
    return opcode;
  }

  /**
   * Begins a function body at its locals, and stops before its first operator: `position` says
   * where that is, `localCount` how many locals it declares.
   */
  openBody(start: number, end: number): void {
    this.seek(start, end);
    let locals = 0;
    for (let groups = this.count(2); groups > 0; groups--) {
      const at = this.position;
      locals += this.u32();
      if (locals > MAX_U32) this.fail("WASM_BINARY_COUNT", at, "a function has too many locals");
      this.valueType();
    }
    this.localCount = locals;
    this.open(this.position, end);
  }

  /** Requires that the expression has ended, and exactly at `end`. */
  close(): void {
    if (this.depth !== 0 || this.position !== this.end) {
      this.fail("WASM_BINARY_BODY", this.position, "a body goes on behind its last end");
    }
  }

  #rare(shape: number): void {
    switch (shape) {
      case SHAPE.twoIndices:
        this.first = this.u32();
        this.second = this.u32();
        return;
      case SHAPE.block:
        return this.#block();
      case SHAPE.else:
        return this.#continue([KIND_IF], KIND_ELSE);
      case SHAPE.catch:
        return this.#catch();
      case SHAPE.delegate:
        if (this.#blocks[this.depth] !== KIND_TRY) this.#misplaced();
        this.first = this.u32();
        this.depth--;
        return;
      case SHAPE.i64:
        return this.#signed(10);
      case SHAPE.f32:
        this.low = this.#fixed32();
        return;
      case SHAPE.f64:
        this.low = this.#fixed32();
        this.high = this.#fixed32();
        return;
      case SHAPE.labels:
        return this.#labels();
      case SHAPE.types:
        return this.#types();
      case SHAPE.heapType:
        this.first = this.heapType();
        return;
      case SHAPE.lane:
        this.first = this.byte();
        return;
      case SHAPE.memargLane:
        this.#memarg();
        this.third = this.byte();
        return;
      case SHAPE.sixteen:
        this.skip(16);
        return;
      case SHAPE.tryTable:
        return this.#tryTable();
      case SHAPE.castBranch:
        return this.#castBranch();
      case SHAPE.zero:
        if (this.byte() !== 0) this.#fail("WASM_BINARY_TYPE", "a zero byte is wanted");
        return;
      default:
        this.#fail("WASM_BINARY_OPCODE", "there is no such opcode");
    }
  }

  #block(): void {
    const opcode = this.bytes[this.offset];
    this.first = this.#blockType();
    this.#push(opcode === 0x04 ? KIND_IF : opcode === 0x06 ? KIND_TRY : KIND_BLOCK);
  }

  /** A block type: a type index, -64 for none, or a value type as `-65 - its number`. */
  #blockType(): number {
    const byte = this.bytes[this.position] as number;
    if (byte === 0x40) {
      this.position++;
      return -64;
    }
    if (byte > 0x40 && byte < 0x80) return -65 - this.valueType();
    const index = this.s33();
    if (index < 0) this.#fail("WASM_BINARY_TYPE", "a block has no such type");
    return index;
  }

  #push(kind: number): void {
    this.depth++;
    // Doubling, and never more than a byte for each byte read: each block took at least two.
    if (this.depth >= this.#blocks.length) {
      const wider = new Uint8Array(this.#blocks.length * 2);
      wider.set(this.#blocks);
      this.#blocks = wider;
    }
    this.#blocks[this.depth] = kind;
  }

  #continue(from: readonly number[], to: number): void {
    if (!from.includes(this.#blocks[this.depth] as number)) this.#misplaced();
    this.#blocks[this.depth] = to;
  }

  #catch(): void {
    const isAll = this.bytes[this.offset] === 0x19;
    this.#continue([KIND_TRY, KIND_CATCH], isAll ? KIND_CATCH_ALL : KIND_CATCH);
    if (!isAll) this.first = this.u32();
  }

  #labels(): void {
    const count = this.count(1) + 1;
    const list = this.#listOf(count);
    for (let index = 0; index < count; index++) list[index] = this.u32();
  }

  #types(): void {
    const count = this.count(1);
    const list = this.#listOf(count);
    for (let index = 0; index < count; index++) list[index] = this.valueType();
  }

  #tryTable(): void {
    this.first = this.#blockType();
    const count = this.count(2);
    const list = this.#listOf(3 * count);
    for (let index = 0; index < 3 * count; index += 3) {
      const kind = this.byte();
      if (kind > LAST_CATCH_KIND) this.#fail("WASM_BINARY_TYPE", "there is no such catch");
      list[index] = kind;
      list[index + 1] = kind <= CATCH_WITH_TAG ? this.u32() : 0;
      list[index + 2] = this.u32();
    }
    this.#push(KIND_BLOCK);
  }

  #castBranch(): void {
    const flags = this.byte();
    if (flags > MAX_CAST_FLAGS) this.#fail("WASM_BINARY_TYPE", "a cast has no such flags");
    const label = this.u32();
    this.second = this.heapType();
    this.third = this.heapType();
    this.low = flags;
    this.first = label;
  }

  /** `length` comes from a count that the bytes left can hold. */
  #listOf(length: number): Float64Array {
    if (length > MAX_LIST)
      this.#fail("WASM_BINARY_LIMIT", `a list has more than ${MAX_LIST} entries`);
    if (this.list.length < length) this.list = new Float64Array(length);
    this.listLength = length;
    return this.list;
  }

  #memarg(): void {
    const flags = this.u32();
    if (flags > MAX_ALIGNMENT_FLAGS) this.#fail("WASM_BINARY_TYPE", "an alignment is too large");
    this.first = flags & ~HAS_MEMORY_INDEX;
    this.second = (flags & HAS_MEMORY_INDEX) === 0 ? 0 : this.u32();
    this.#unsigned64();
  }

  /** A u64 into `low` and `high`, without a bigint. */
  #unsigned64(): void {
    const start = this.position;
    let low = 0;
    let high = 0;
    for (let index = 0; index < MAX_LEB64_BYTES; index++) {
      const byte = this.byte();
      if (index === MAX_LEB64_BYTES - 1 && byte > 1) {
        this.fail("WASM_BINARY_INTEGER", start, "a u64 is too long or too large");
      }
      const bits = byte & 0x7f;
      const shift = 7 * index;
      if (shift < 32) low |= bits << shift;
      if (shift > 25) high |= shift < 32 ? bits >> (32 - shift) : bits << (shift - 32);
      if (byte < 0x80) break;
    }
    this.low = low;
    this.high = high;
  }

  /** An i32 (in 5 bytes at most) or i64 (in 10), into `low` and `high`. */
  #signed(maximum: number): void {
    const start = this.position;
    let low = 0;
    let high = 0;
    let shift = 0;
    for (let index = 0; ; index++) {
      const byte = this.byte();
      const bits = byte & 0x7f;
      if (shift < 32) low |= bits << shift;
      if (shift > 25) high |= shift < 32 ? bits >> (32 - shift) : bits << (shift - 32);
      shift += 7;
      if (index === maximum - 1) {
        // Of the last byte 4 bits (i32) or 1 bit (i64) count; those above repeat the sign.
        const isSound =
          maximum === 5
            ? byte < 0x08 || (byte >= 0x78 && byte < 0x80)
            : byte === 0 || byte === 0x7f;
        if (!isSound)
          this.fail("WASM_BINARY_INTEGER", start, "an integer is too long or too large");
      }
      if (byte < 0x80) {
        if ((byte & 0x40) !== 0) {
          if (shift < 32) low |= -1 << shift;
          if (shift < 64) high |= shift <= 32 ? -1 : -1 << (shift - 32);
        }
        break;
      }
    }
    this.low = low;
    this.high = high;
  }

  #fixed32(): number {
    const at = this.skip(4);
    const { bytes } = this;
    return (
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    );
  }

  #misplaced(): never {
    return this.#fail("WASM_BINARY_OPCODE", "the operator does not belong to the block it is in");
  }

  #fail(code: Parameters<ByteReader["fail"]>[0], problem: string): never {
    return this.fail(code, this.offset, problem);
  }
}
