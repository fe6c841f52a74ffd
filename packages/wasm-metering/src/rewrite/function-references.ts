/**
 * @module Places outside of function bodies where a function is referred to: elements, and
 * `ref.func` in initializers. A function whose type changes is stood for by its wrapper there.
 */
import { ByteReader, type ByteRange, type WasmModule } from "@glovebox/wasm-binary";
import { opcodeNamed, OperatorReader } from "@glovebox/wasm-binary/operators";
import type { ByteWriter } from "@glovebox/wasm-binary/write";

const REF_FUNC = opcodeNamed("ref.func");
const PLAIN = new Set([REF_FUNC, opcodeNamed("ref.null"), opcodeNamed("end")]);

/** The references of one module, in the order of their offsets. */
export class FunctionReferences {
  readonly #bytes: Uint8Array;
  readonly #operators: OperatorReader;
  /** Offset of an index, offset behind it, index; over and over. */
  readonly #places: number[] = [];
  /** Index in `#places` of the first reference in a segment: those before are in initializers. */
  readonly #firstElement: number;
  /** Whether a segment holds what is not a function of the module's by its index. */
  hasForeignElements = false;

  constructor(module: WasmModule) {
    this.#bytes = module.bytes;
    this.#operators = new OperatorReader(module.bytes);
    for (const { initializer } of module.tables) this.#expression(initializer);
    for (const { initializer } of module.globals) this.#expression(initializer);
    this.#firstElement = this.#places.length;
    for (const { offset, expressions, count, items } of module.elements) {
      this.#expression(offset);
      const reader = new ByteReader(module.bytes, items.start, items.end);
      for (let left = count; left > 0; left--) {
        const { position } = reader;
        if (expressions) {
          reader.position = this.#expression({ start: position, end: items.end }, true);
          continue;
        }
        const index = reader.u32();
        this.#places.push(position, reader.position, index);
      }
    }
  }

  /** Calls `visit` with each function that is referred to, and whether a segment does. */
  each(visit: (index: number, isElement: boolean) => void): void {
    for (let at = 2; at < this.#places.length; at += 3) {
      visit(this.#places[at] as number, at >= this.#firstElement);
    }
  }

  /** Copies bytes, with each reference replaced by the function that `reference` names. */
  copy(writer: ByteWriter, start: number, end: number, reference: (index: number) => number): void {
    let copied = start;
    for (let at = this.#firstFrom(start); at < this.#places.length; at += 3) {
      const [from = 0, to = 0, index = 0] = this.#places.slice(at, at + 3);
      if (from >= end) break;
      writer.copy(this.#bytes, copied, from);
      writer.unsigned(reference(index));
      copied = to;
    }
    writer.copy(this.#bytes, copied, end);
  }

  /** Notes the references of an expression and answers where it ends. */
  #expression(range: ByteRange | undefined, isElement = false): number {
    if (range === undefined) return 0;
    const reader = this.#operators;
    reader.open(range.start, range.end);
    for (let opcode = reader.next(); opcode >= 0; opcode = reader.next()) {
      if (isElement && !PLAIN.has(opcode)) this.hasForeignElements = true;
      if (opcode === REF_FUNC) this.#places.push(reader.offset + 1, reader.position, reader.first);
    }
    return reader.position;
  }

  #firstFrom(offset: number): number {
    let low = 0;
    let high = this.#places.length / 3;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#places[3 * middle] as number) < offset) low = middle + 1;
      else high = middle;
    }
    return 3 * low;
  }
}
