/**
 * @module Indices against the counts of the original, in dead code and constant expressions too.
 * Metering appends a global, functions and types: an operator of the original that names the first
 * index behind its own would refill its own fuel (threats: forged-fuel-global). The engine refuses
 * such a module; this check does not take its word for it.
 */
import { ByteReader, type ByteRange, type WasmModule } from "@glovebox/wasm-binary";
import { opcodeNamed, OperatorReader, OPERATORS } from "@glovebox/wasm-binary/operators";

const SLOTS = 1024;
const KINDS = ["function", "type", "table", "global", "memory", "tag", "data", "element"] as const;
const TRY_TABLE = opcodeNamed("try_table");
const CATCH_WITH_TAG = 1;
const FUNCTION = KINDS.indexOf("function");

/** For each opcode: the place in {@link KINDS} of its first and second index, or -1. */
const FIRST = new Int8Array(SLOTS).fill(-1);
const SECOND = new Int8Array(SLOTS).fill(-1);
for (const { opcode, immediates } of OPERATORS) {
  const [first = "count", second = "count"] = immediates;
  FIRST[opcode] = KINDS.findIndex(
    (kind) => kind === first || (kind === "type" && first === "block-type"),
  );
  SECOND[opcode] = KINDS.findIndex(
    (kind) => kind === second || (kind === "memory" && first === "memarg"),
  );
}

/** The reason why an index is refused: where and what. */
export type IndexProblem = string;

/** Checks one module. */
export class IndexCheck {
  readonly #module: WasmModule;
  readonly #limits: Float64Array;
  readonly #operators: OperatorReader;

  constructor(module: WasmModule) {
    this.#module = module;
    this.#operators = new OperatorReader(module.bytes);
    const counts: Readonly<Record<(typeof KINDS)[number], number>> = {
      function: module.functions.length,
      type: module.types.length,
      table: module.tables.length,
      global: module.globals.length,
      memory: module.memories.length,
      tag: module.tags.length,
      data: module.dataCount ?? module.data.length,
      element: module.elements.length,
    };
    this.#limits = Float64Array.from(KINDS, (kind) => counts[kind]);
  }

  /** Whether every index of the operator that `reader` has just read is one of the original's. */
  allows(reader: OperatorReader, opcode: number): boolean {
    const first = FIRST[opcode] as number;
    if (first >= 0 && reader.first >= (this.#limits[first] as number)) return false;
    const second = SECOND[opcode] as number;
    if (second >= 0 && reader.second >= (this.#limits[second] as number)) return false;
    return opcode !== TRY_TABLE || this.#allowsCatches(reader);
  }

  /** Whether every type that `reader` has met in references is one of the original's. */
  allowsTypes(reader: ByteReader): boolean {
    return reader.highestType < this.#module.types.length;
  }

  /** The first problem outside of function bodies, or `undefined`. */
  problemOutsideCode(): IndexProblem | undefined {
    const { functions, tags, exports, start, elements, globals, tables, data } = this.#module;
    for (const type of functions) if (!this.#has("type", type)) return `a function of type ${type}`;
    for (const type of tags) if (!this.#has("type", type)) return `a tag of type ${type}`;
    for (const { kind, index } of exports) {
      if (!this.#has(kind, index)) return `an export of ${kind} ${index}`;
    }
    if (start !== undefined && !this.#has("function", start)) return `the start function ${start}`;
    for (const { initializer } of [...globals, ...tables]) {
      if (!this.#allowsExpression(initializer)) return "an initializer";
    }
    for (const { table, offset, expressions, count, items } of elements) {
      if (offset !== undefined && !this.#has("table", table)) return `a segment of table ${table}`;
      if (!this.#allowsExpression(offset)) return "the offset of a segment";
      if (!this.#allowsItems(items, count, expressions)) return "an element of a segment";
    }
    for (const { memory, offset } of data) {
      if (offset !== undefined && !this.#has("memory", memory))
        return `a segment of memory ${memory}`;
      if (!this.#allowsExpression(offset)) return "the offset of a segment";
    }
    return undefined;
  }

  #has(kind: (typeof KINDS)[number], index: number): boolean {
    return index < (this.#limits[KINDS.indexOf(kind)] as number);
  }

  #allowsCatches({ list, listLength }: OperatorReader): boolean {
    for (let at = 0; at < listLength; at += 3) {
      if ((list[at] as number) <= CATCH_WITH_TAG && !this.#has("tag", list[at + 1] as number))
        return false;
    }
    return true;
  }

  #allowsItems({ start, end }: ByteRange, count: number, expressions: boolean): boolean {
    const reader = new ByteReader(this.#module.bytes, start, end);
    for (let left = count; left > 0; left--) {
      if (!expressions) {
        if (reader.u32() >= (this.#limits[FUNCTION] as number)) return false;
        continue;
      }
      const operators = this.#expression(reader.position, end);
      if (operators === undefined) return false;
      reader.position = operators.position;
    }
    return true;
  }

  #allowsExpression(range: ByteRange | undefined): boolean {
    return range === undefined || this.#expression(range.start, range.end) !== undefined;
  }

  /** Reads an expression; `undefined` when it names what the module does not have. */
  #expression(start: number, end: number): OperatorReader | undefined {
    const reader = this.#operators;
    reader.open(start, end);
    for (let opcode = reader.next(); opcode >= 0; opcode = reader.next()) {
      if (!this.allows(reader, opcode)) return undefined;
    }
    return this.allowsTypes(reader) ? reader : undefined;
  }
}
