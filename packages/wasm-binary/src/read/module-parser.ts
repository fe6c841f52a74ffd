/**
 * @module The outer form of a module, read as bytes arrive: header, sections, function bodies (core
 * specification 5.5). It keeps no bytes: the caller holds what was not consumed, so that memory is
 * its to bound, and splitting the input anywhere changes nothing.
 */
import { WasmBinaryError, type WasmBinaryErrorCode } from "../errors.ts";
import { HEADER_BYTES, MAX_LEB32_BYTES, MAX_SECTIONS } from "../limits.ts";
import { ByteReader } from "./byte-reader.ts";
import { CUSTOM_SECTION, rankOf, SECTION } from "./section-table.ts";

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

/** A piece of a module; `start` and `end` are offsets in the module. */
export type ModulePart =
  | { readonly kind: "header" }
  | {
      /** A whole section; of the code section only what stands before its bodies. */
      readonly kind: "section";
      readonly id: number;
      /** Offset of the section's id. */
      readonly header: number;
      readonly start: number;
      readonly end: number;
    }
  | { readonly kind: "body"; readonly index: number; readonly start: number; readonly end: number }
  | { readonly kind: "end" };

/** What {@link ModuleParser.parse} answers. */
export type ParserStep =
  /** At least `bytes` more are needed behind those given. */
  | { readonly kind: "need-more"; readonly bytes: number }
  /** The first `consumed` bytes given are done with, and were this part. */
  | { readonly kind: "parsed"; readonly consumed: number; readonly part: ModulePart };

/**
 * Reads one part at a time. Give it the bytes from {@link ModuleParser.offset} on.
 *
 * @example
 * ```ts
 * const parser = new ModuleParser();
 * let step = parser.parse(buffered, false);
 * if (step.kind === "parsed") buffered = buffered.subarray(step.consumed);
 * ```
 */
export class ModuleParser {
  /** Offset in the module of the next byte wanted. */
  offset = 0;
  #state: "header" | "sections" | "bodies" | "done" = "header";
  #rank = 0;
  #sections = 0;
  #bodies = { next: 0, count: 0, end: 0 };

  /**
   * Reads the part that begins at {@link ModuleParser.offset}. `last` says that nothing comes behind
   * `bytes`.
   *
   * @throws {@link WasmBinaryError} for bytes that begin no module; never for the lack of some,
   * unless `last`.
   */
  parse(bytes: Uint8Array, last: boolean): ParserStep {
    const step = this.#step(bytes, last);
    if (step.kind === "parsed") this.offset += step.consumed;
    else if (last) {
      this.#fail("WASM_BINARY_END", this.offset + bytes.length, `${step.bytes} bytes are missing`);
    }
    return step;
  }

  #step(bytes: Uint8Array, last: boolean): ParserStep {
    switch (this.#state) {
      case "header":
        return this.#header(bytes);
      case "sections":
        if (bytes.length === 0 && last) {
          this.#state = "done";
          return parsed(0, { kind: "end" });
        }
        return this.#section(bytes);
      case "bodies":
        return this.#body(bytes);
      case "done":
      default:
        return parsed(0, { kind: "end" });
    }
  }

  #header(bytes: Uint8Array): ParserStep {
    for (const [index, byte] of HEADER.entries()) {
      if (index < bytes.length && bytes[index] !== byte) {
        this.#fail("WASM_BINARY_HEADER", index, "this is no WebAssembly module of version 1");
      }
    }
    if (bytes.length < HEADER_BYTES) return needMore(HEADER_BYTES - bytes.length);
    this.#state = "sections";
    return parsed(HEADER_BYTES, { kind: "header" });
  }

  #section(bytes: Uint8Array): ParserStep {
    const header = this.offset;
    const id = bytes[0];
    if (id === undefined) return needMore(2);
    const rank = rankOf(id);
    if (rank < 0) this.#fail("WASM_BINARY_SECTION", header, `there is no section ${id}`);
    if (id !== CUSTOM_SECTION && rank <= this.#rank) {
      this.#fail("WASM_BINARY_SECTION", header, `section ${id} is repeated or out of order`);
    }
    const size = readLength(bytes, 1, header);
    if (size === undefined) return needMore(1);
    const length = size.next + size.value;
    if (id === SECTION.code) return this.#codeStart(bytes, size, header);
    if (bytes.length < length) return needMore(length - bytes.length);
    this.#count(id, rank);
    return parsed(length, {
      kind: "section",
      id,
      header,
      start: header + size.next,
      end: header + length,
    });
  }

  #codeStart(bytes: Uint8Array, size: Length, header: number): ParserStep {
    const count = readLength(bytes.subarray(0, size.next + size.value), size.next, header);
    if (count === undefined) {
      if (bytes.length < size.next + size.value) return needMore(1);
      this.#fail("WASM_BINARY_END", header + size.next + size.value, "the code section is empty");
    }
    const end = header + size.next + size.value;
    // Each body takes at least its length, its count of locals and its end.
    if (3 * count.value > end - header - count.next) {
      this.#fail("WASM_BINARY_COUNT", header + size.next, `${count.value} bodies do not fit`);
    }
    this.#count(SECTION.code, rankOf(SECTION.code));
    this.#bodies = { next: 0, count: count.value, end };
    this.#enterBody(header + count.next);
    return parsed(count.next, {
      kind: "section",
      id: SECTION.code,
      header,
      start: header + size.next,
      end,
    });
  }

  #body(bytes: Uint8Array): ParserStep {
    const { next, end } = this.#bodies;
    const size = readLength(bytes.subarray(0, end - this.offset), 0, this.offset);
    if (size === undefined) {
      if (bytes.length < end - this.offset) return needMore(1);
      return this.#fail("WASM_BINARY_END", end, "the code section ends before its bodies");
    }
    const length = size.next + size.value;
    if (this.offset + length > end) {
      this.#fail("WASM_BINARY_BODY", this.offset, "a body is longer than its section");
    }
    if (bytes.length < length) return needMore(length - bytes.length);
    const start = this.offset + size.next;
    this.#bodies.next++;
    this.#enterBody(this.offset + length);
    return parsed(length, { kind: "body", index: next, start, end: start + size.value });
  }

  #enterBody(at: number): void {
    const { next, count, end } = this.#bodies;
    this.#state = next < count ? "bodies" : "sections";
    if (next === count && at !== end) {
      this.#fail("WASM_BINARY_SECTION", at, "the code section goes on behind its last body");
    }
  }

  #count(id: number, rank: number): void {
    if (id !== CUSTOM_SECTION) this.#rank = rank;
    this.#sections++;
    if (this.#sections > MAX_SECTIONS) {
      this.#fail("WASM_BINARY_LIMIT", this.offset, `more than ${MAX_SECTIONS} sections`);
    }
  }

  #fail(code: WasmBinaryErrorCode, offset: number, problem: string): never {
    throw new WasmBinaryError(code, offset, problem);
  }
}

/** A u32 and the index behind it, or `undefined` where `bytes` end within it. */
interface Length {
  readonly value: number;
  readonly next: number;
}

function readLength(bytes: Uint8Array, at: number, offset: number): Length | undefined {
  let last = at;
  while (last < bytes.length && last < at + MAX_LEB32_BYTES && (bytes[last] as number) >= 0x80)
    last++;
  if (last >= bytes.length) return undefined;
  try {
    const reader = new ByteReader(bytes, at);
    return { value: reader.u32(), next: reader.position };
  } catch (error) {
    if (!(error instanceof WasmBinaryError)) throw error;
    throw new WasmBinaryError(error.code, offset + error.offset, "a length is no u32");
  }
}

function needMore(bytes: number): ParserStep {
  return { kind: "need-more", bytes };
}

function parsed(consumed: number, part: ModulePart): ParserStep {
  return { kind: "parsed", consumed, part };
}
