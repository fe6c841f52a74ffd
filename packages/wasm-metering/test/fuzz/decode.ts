/** @module A function body as the steps of the interpreter, with the ends of its blocks found. */
import type { WasmModule } from "@glovebox/wasm-binary";
import {
  type Catch,
  type ImmediateValue,
  instructionOf,
  type MemoryArgument,
  OperatorReader,
  operatorOf,
} from "@glovebox/wasm-binary/operators";
import { type ClassCost, COST_TABLE } from "@glovebox/wasm-metering";

import { operationOf, type Value } from "./numeric.ts";

/** One operator. */
export interface Step {
  readonly name: string;
  readonly units: number;
  readonly perLength: ClassCost["perLength"];
  /** The longest length that is charged in full. */
  readonly most: bigint;
  readonly operation: ReturnType<typeof operationOf>;
  readonly first: number;
  readonly second: number;
  readonly labels: readonly number[];
  readonly catches: readonly Catch[];
  readonly offset: number;
  readonly constant: Value;
  /** How many values a block takes and gives. */
  readonly type: { readonly parameters: number; readonly results: number };
  /** The steps of the block's `else` (-1 without one) and `end`. */
  otherwise: number;
  end: number;
}

/** The steps of a body, and its locals as they begin. */
export interface Code {
  readonly steps: readonly Step[];
  readonly locals: readonly Value[];
}

const BLOCKS = new Set(["block", "loop", "if", "try_table"]);
const ZEROS: Readonly<Record<number, Value>> = { 0x7f: 0, 0x7e: 0n, 0x7d: 0, 0x7c: 0 };
/** Where the engine refuses a length anyway: pages of a memory, elements of a table. */
const MOST: Readonly<Record<string, bigint>> = { "memory.grow": 262_144n, "table.grow": 2n ** 24n };

/** Decodes the body of a function that the module defines. */
export function decodeBody(module: WasmModule, index: number): Code {
  const body = index - module.imported.function;
  const reader = new OperatorReader(module.bytes);
  const locals = localsOf(module, body);
  reader.openBody(module.bodies.startOf(body), module.bodies.endOf(body));
  const steps: Step[] = [];
  const open: Step[] = [];
  for (let opcode = reader.next(); opcode >= 0; opcode = reader.next()) {
    const { name, immediates } = instructionOf(reader, opcode);
    const step = stepOf(module, name, operatorOf(opcode)?.cost ?? "simple", immediates);
    if (name === "else" || name === "end") {
      const block = open.at(-1);
      if (block !== undefined && name === "else") {
        block.otherwise = steps.length;
        open.push(step);
      } else
        for (
          let last = open.pop();
          last !== undefined;
          last = last.name === "else" ? open.pop() : undefined
        )
          last.end = steps.length;
    }
    steps.push(step);
    if (BLOCKS.has(name)) open.push(step);
  }
  return { steps, locals };
}

function stepOf(
  module: WasmModule,
  name: string,
  cost: string,
  immediates: readonly ImmediateValue[],
): Step {
  const { base, perLength } = COST_TABLE.classes[cost as keyof typeof COST_TABLE.classes];
  const [head, next] = immediates;
  const number = (value: ImmediateValue | undefined): number =>
    typeof value === "number" ? value : 0;
  return {
    name,
    units:
      name === "try_table" ? base + COST_TABLE.perCatch * (next as readonly Catch[]).length : base,
    perLength,
    most: MOST[name] ?? 2n ** 32n,
    operation: operationOf(name),
    first: number(head),
    second: number(next),
    labels: name === "br_table" ? (head as readonly number[]) : [],
    catches: name === "try_table" ? (next as readonly Catch[]) : [],
    offset: /\.(?:load|store)/.test(name) ? Number((head as MemoryArgument).offset) : 0,
    constant: name.endsWith(".const") ? constantOf(name, head as number | bigint) : 0,
    type: BLOCKS.has(name) ? arityOf(module, number(head)) : { parameters: 0, results: 0 },
    otherwise: -1,
    end: -1,
  };
}

function arityOf(module: WasmModule, blockType: number): Step["type"] {
  if (blockType < 0) return { parameters: 0, results: blockType === -64 ? 0 : 1 };
  const type = module.types.at(blockType);
  if (type.kind !== "function") throw new Error("not the type of a block");
  return { parameters: type.parameters.length, results: type.results.length };
}

function constantOf(name: string, value: number | bigint): Value {
  if (!name.startsWith("f")) return value;
  const view = new DataView(new ArrayBuffer(8));
  if (name === "f32.const") {
    view.setUint32(0, Number(value));
    return view.getFloat32(0);
  }
  view.setBigUint64(0, BigInt(value));
  return view.getFloat64(0);
}

function localsOf({ bytes, bodies }: WasmModule, body: number): readonly Value[] {
  const reader = new OperatorReader(bytes);
  reader.seek(bodies.startOf(body), bodies.endOf(body));
  const locals: Value[] = [];
  for (let groups = reader.u32(); groups > 0; groups--) {
    const count = reader.u32();
    const zero = ZEROS[reader.valueType()] ?? null;
    for (let left = count; left > 0; left--) locals.push(zero);
  }
  return locals;
}
