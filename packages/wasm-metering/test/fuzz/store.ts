/** @module Memory, table, globals and segments of the interpreter, and the operators on them. */
import type { WasmModule } from "@glovebox/wasm-binary";
import { instructionOf, OperatorReader } from "@glovebox/wasm-binary/operators";

import type { Step } from "./decode.ts";
import { Trap, type Value } from "./numeric.ts";

const PAGE = 65_536;
const ACCESS = /^(?<type>[if](?:32|64))\.(?<kind>load|store)(?<bits>8|16|32)?(?:_(?<sign>[su]))?$/;

interface Operation {
  /** Values that it takes from the stack. */
  readonly operands: number;
  readonly run: (...operands: never[]) => Value | undefined;
}

/** The store of one instance: at most one memory and one table, of functions. */
export class Store {
  memory: Uint8Array;
  readonly table: (number | null)[];
  readonly globals: Value[];
  readonly hasExportedTable: boolean;
  readonly #module: WasmModule;
  readonly #data: Uint8Array[];
  readonly #elements: (readonly number[])[];

  constructor(module: WasmModule) {
    this.#module = module;
    this.hasExportedTable = [...module.exports].some(({ kind }) => kind === "table");
    this.memory = new Uint8Array(PAGE * Number([...module.memories][0]?.minimum ?? 0n));
    this.table = Array.from({ length: Number([...module.tables][0]?.minimum ?? 0n) }, () => null);
    this.globals = [...module.globals].map(({ initializer }) =>
      valueOf(module, initializer?.start ?? 0),
    );
    this.#data = [...module.data].map(({ bytes }) => module.bytes.subarray(bytes.start, bytes.end));
    this.#elements = [...module.elements].map(({ items, count }) => {
      const reader = new OperatorReader(module.bytes);
      reader.seek(items.start, items.end);
      return Array.from({ length: count }, () => reader.u32());
    });
    for (const [index, { mode, offset }] of [...module.elements].entries()) {
      if (mode === "active" && offset !== undefined) {
        const at = Number(valueOf(module, offset.start));
        for (const [place, element] of (this.#elements[index] ?? []).entries())
          this.table[at + place] = element;
        this.#elements[index] = [];
      }
    }
  }

  /** The function in the table at `index`, if it has the type. */
  callee(_table: number, index: Value, type: number): number {
    const callee = this.table[Number(index) >>> 0];
    if (callee === undefined || callee === null) throw new Trap("no function there");
    if (!this.#isSameType(type, this.#module.functions[callee] as number))
      throw new Trap("another type");
    return callee;
  }

  /** What an operator on the store does. */
  operation(step: Step): Operation {
    const access = ACCESS.exec(step.name)?.groups;
    if (access !== undefined) return this.#access(step.offset, access);
    const operation = this.#operations[step.name];
    if (operation === undefined) throw new Error(`the interpreter does not know ${step.name}`);
    const [operands, run] = operation;
    return { operands, run: (...given) => run(step, ...(given as number[])) };
  }

  readonly #operations: Readonly<
    Record<string, readonly [number, (step: Step, ...operands: number[]) => Value | undefined]>
  > = {
    "global.get": [0, ({ first }) => this.globals[first]],
    "global.set": [1, ({ first }, value) => void (this.globals[first] = value as Value)],
    "memory.size": [0, () => this.memory.length / PAGE],
    "memory.grow": [1, (_, by = 0) => this.#grow(by >>> 0)],
    "memory.fill": [
      3,
      (_, to = 0, byte = 0, count = 0) =>
        this.#span(this.memory, to, count).fill(byte) && undefined,
    ],
    "memory.copy": [
      3,
      (_, to = 0, from = 0, count = 0) => {
        this.#span(this.memory, to, count);
        this.memory.set(this.#span(this.memory, from, count).slice(), to >>> 0);
      },
    ],
    "memory.init": [
      3,
      ({ first }, to = 0, from = 0, count = 0) => {
        const source = this.#span(this.#data[first] as Uint8Array, from, count);
        this.#span(this.memory, to, count).set(source);
      },
    ],
    "data.drop": [0, ({ first }) => void (this.#data[first] = new Uint8Array())],
    "table.size": [0, () => this.table.length],
    "table.copy": [
      3,
      (_, to = 0, from = 0, count = 0) => this.#fillTable(to, this.#row(this.table, from, count)),
    ],
    "table.init": [
      3,
      ({ first }, to = 0, from = 0, count = 0) =>
        this.#fillTable(to, this.#row(this.#elements[first] ?? [], from, count)),
    ],
    "elem.drop": [0, ({ first }) => void (this.#elements[first] = [])],
    "ref.null": [0, () => null],
    "ref.is_null": [1, (_, value) => ((value as unknown) === null ? 1 : 0)],
  };

  #access(
    offset: number,
    { type = "", kind = "", bits, sign }: Readonly<Record<string, string>>,
  ): Operation {
    const bytes = Number(bits ?? type.slice(1)) / 8;
    const at = (address: number): DataView => {
      const start = (address >>> 0) + offset;
      if (start + bytes > this.memory.length) throw new Trap("beyond the memory");
      return new DataView(this.memory.buffer, start, bytes);
    };
    if (kind === "store")
      return {
        operands: 2,
        run: (address: number, value: Value) => {
          write(at(address), type, bytes, value);
          return undefined;
        },
      };
    return { operands: 1, run: (address: number) => read(at(address), type, bytes, sign !== "u") };
  }

  #grow(by: number): number {
    const before = this.memory.length / PAGE;
    const maximum = Number([...this.#module.memories][0]?.maximum ?? 65_536n);
    if (before + by > maximum) return -1;
    const wider = new Uint8Array(PAGE * (before + by));
    wider.set(this.memory);
    this.memory = wider;
    return before;
  }

  #span(bytes: Uint8Array, at: number, count: number): Uint8Array {
    const start = at >>> 0;
    const length = count >>> 0;
    if (start + length > bytes.length) throw new Trap("beyond the memory");
    return bytes.subarray(start, start + length);
  }

  #row(list: readonly (number | null)[], at: number, count: number): readonly (number | null)[] {
    const start = at >>> 0;
    if (start + (count >>> 0) > list.length) throw new Trap("beyond the table");
    return list.slice(start, start + (count >>> 0));
  }

  #fillTable(to: number, row: readonly (number | null)[]): undefined {
    this.#row(this.table, to, row.length);
    for (const [place, element] of row.entries()) this.table[(to >>> 0) + place] = element;
  }

  #isSameType(one: number, other: number): boolean {
    const { types } = this.#module;
    const text = (index: number): string => JSON.stringify(types.at(index));
    return text(one) === text(other);
  }
}

function read(view: DataView, type: string, bytes: number, isSigned: boolean): Value {
  if (type === "f32") return view.getFloat32(0, true);
  if (type === "f64") return view.getFloat64(0, true);
  let bits = 0n;
  for (let index = bytes - 1; index >= 0; index--)
    bits = (bits << 8n) | BigInt(view.getUint8(index));
  const value = isSigned ? BigInt.asIntN(8 * bytes, bits) : bits;
  return type === "i32" ? Number(BigInt.asIntN(32, value)) : BigInt.asIntN(64, value);
}

function write(view: DataView, type: string, bytes: number, value: Value): void {
  if (type === "f32") return view.setFloat32(0, value as number, true);
  if (type === "f64") return view.setFloat64(0, value as number, true);
  const bits = BigInt.asUintN(64, BigInt(value as number | bigint));
  for (let index = 0; index < bytes; index++)
    view.setUint8(index, Number((bits >> BigInt(8 * index)) & 0xffn));
}

/** The value of a constant expression of one constant. */
function valueOf(module: WasmModule, start: number): Value {
  const reader = new OperatorReader(module.bytes);
  reader.open(start, module.bytes.length);
  const { name, immediates } = instructionOf(reader, reader.next());
  const [value = 0] = immediates;
  if (name === "i32.const" || name === "i64.const") return value;
  if (value === 0n) return 0;
  throw new Error(`a constant expression with ${name}`);
}
