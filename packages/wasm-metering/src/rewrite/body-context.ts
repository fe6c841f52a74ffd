/** @module What writing one function body needs: the module around it, and the copying of its code. */
import { ByteReader, type WasmModule } from "@glovebox/wasm-binary";
import { type ByteWriter, writeValueType } from "@glovebox/wasm-binary/write";

import { Code } from "./code.ts";
import type { TypePool } from "./type-pool.ts";

/** What all bodies of a module share. */
export interface ModuleContext {
  readonly module: WasmModule;
  readonly types: TypePool;
  /** Index of the fuel global. */
  readonly fuelGlobal: number;
  /** Index of the function that is called when fuel has run out, and does not return. */
  readonly outOfFuel: number;
  /** Where the depth of calls is counted: its global, and how many may be in progress. */
  readonly depth: { readonly global: number; readonly maximum: number } | undefined;
}

/** One body: its type, its code, and the place up to which the original was copied. */
export class BodyContext {
  readonly code: Code;
  readonly module: WasmModule;
  readonly types: TypePool;
  readonly fuelGlobal: number;
  readonly outOfFuel: number;
  readonly depth: ModuleContext["depth"];
  readonly parameters: readonly number[];
  readonly results: readonly number[];
  /** What was copied: place in the body written, offset in the original, length; over and over. */
  readonly runs: number[] = [];
  readonly #localsAt: number;
  #copied = 0;

  /** `target` is written to; `localsAt` is where the original's locals stand. */
  constructor(
    shared: ModuleContext,
    type: { readonly parameters: readonly number[]; readonly results: readonly number[] },
    target: ByteWriter,
    localsAt: number,
  ) {
    this.code = new Code(target);
    this.module = shared.module;
    this.types = shared.types;
    this.fuelGlobal = shared.fuelGlobal;
    this.outOfFuel = shared.outOfFuel;
    this.depth = shared.depth;
    this.parameters = type.parameters;
    this.results = type.results;
    this.#localsAt = localsAt;
  }

  /** Writes the original's locals and `added` behind them, one of each type. */
  writeLocals(added: readonly (0x7e | 0x7f)[]): void {
    const reader = new ByteReader(this.module.bytes, this.#localsAt);
    const groups = reader.u32();
    const start = reader.position;
    for (let left = groups; left > 0; left--) {
      reader.u32();
      reader.valueType();
    }
    this.code.bytes.unsigned(groups + added.length);
    this.startAt(start);
    this.copyTo(reader.position);
    for (const type of added) this.code.declareLocal(type);
  }

  /**
   * Writes the original's locals, the first of them behind the others and a fuel parameter in its
   * place, and `added` behind all.
   */
  writeShiftedLocals(added: readonly (0x7e | 0x7f)[]): void {
    const reader = new ByteReader(this.module.bytes, this.#localsAt);
    const groups: [count: number, type: number][] = [];
    for (let left = reader.u32(); left > 0; left--) groups.push([reader.u32(), reader.valueType()]);
    const first = groups.find(([count]) => count > 0);
    const moved = first?.[1];
    if (first !== undefined) first[0]--;
    const others = groups.filter(([count]) => count > 0);
    const { bytes } = this.code;
    bytes.unsigned(others.length + (moved === undefined ? 0 : 1) + added.length);
    for (const [count, type] of others) {
      bytes.unsigned(count);
      writeValueType(bytes, type);
    }
    if (moved !== undefined) {
      bytes.byte(1);
      writeValueType(bytes, moved);
    }
    for (const type of added) this.code.declareLocal(type);
  }

  /** The next copy begins at `offset` of the original. */
  startAt(offset: number): void {
    this.#copied = offset;
  }

  /** Writes a tail call of `callee` in place of the one that ends at `end`. */
  replaceTailCall(callee: number, end: number): void {
    this.code.index("returnCall", callee);
    this.startAt(end);
  }

  /** Copies the original up to `offset`. */
  copyTo(offset: number): void {
    const { bytes } = this.code;
    if (offset > this.#copied) this.runs.push(bytes.length, this.#copied, offset - this.#copied);
    bytes.copy(this.module.bytes, this.#copied, offset);
    this.#copied = offset;
  }
}
