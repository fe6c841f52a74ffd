/** @module Function types that metering adds behind the module's own. */
import type { WasmModule } from "@glovebox/wasm-binary";
import { ByteWriter, writeValueType } from "@glovebox/wasm-binary/write";

/** i64, the type of fuel. */
export const I64 = 0x7e;
/** i32. */
export const I32 = 0x7f;

const FUNCTION_FORM = 0x60;
const NO_RESULT = 0x40;

/** Types by what they say, each added once. */
export class TypePool {
  readonly #module: WasmModule;
  readonly #added = new Map<string, { readonly index: number; readonly bytes: Uint8Array }>();

  constructor(module: WasmModule) {
    this.#module = module;
  }

  /** Types added. */
  get size(): number {
    return this.#added.size;
  }

  /** Index of the type `parameters → results`, which is added where it was not yet. */
  functionType(parameters: readonly number[], results: readonly number[]): number {
    const key = `${parameters.join()}>${results.join()}`;
    const known = this.#added.get(key);
    if (known !== undefined) return known.index;
    const writer = new ByteWriter(8);
    writer.byte(FUNCTION_FORM);
    for (const types of [parameters, results]) {
      writer.unsigned(types.length);
      for (const type of types) writeValueType(writer, type);
    }
    const index = this.#module.types.length + this.#added.size;
    this.#added.set(key, { index, bytes: writer.finish() });
    return index;
  }

  /** The type with fuel as last parameter and last result. */
  threadedType(parameters: readonly number[], results: readonly number[]): number {
    return this.functionType([...parameters, I64], [...results, I64]);
  }

  /** Writes the block type that leaves `results`. */
  writeBlockType(writer: ByteWriter, results: readonly number[]): void {
    const [only] = results;
    if (only === undefined) writer.byte(NO_RESULT);
    else if (results.length === 1) writeValueType(writer, only);
    else writer.signed(this.functionType([], results));
  }

  /** Writes the added types. */
  write(writer: ByteWriter): void {
    for (const { bytes } of this.#added.values()) writer.raw(bytes);
  }
}
