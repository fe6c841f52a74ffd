/**
 * @module An operator with its immediates as a value, for printing, tests and tools. The reader's
 * loop makes none: {@link instructionOf} makes one where it is wanted.
 */
import { formOf, type Immediate } from "../opcode/operator.ts";
import { operatorOf } from "../opcode/table.ts";
import type { OperatorReader } from "../read/operator-reader.ts";

/** An operator and its immediates, in the order of the table. */
export interface Instruction {
  readonly opcode: number;
  readonly name: string;
  readonly immediates: readonly ImmediateValue[];
}

/** A catch of `try_table`. `kind`: 0 catch, 1 catch_ref, 2 catch_all, 3 catch_all_ref. */
export interface Catch {
  readonly kind: number;
  readonly tag: number;
  readonly label: number;
}

/** Alignment (log 2), memory and offset of a memory operator. */
export interface MemoryArgument {
  readonly align: number;
  readonly memory: number;
  readonly offset: bigint;
}

/**
 * Indices, types, lanes and flags are numbers; constants of integers are numbers (i32) and bigints
 * (i64); those of floats are their bits; vectors are sixteen bytes.
 */
export type ImmediateValue =
  | number
  | bigint
  | MemoryArgument
  | readonly number[]
  | readonly Catch[]
  | Uint8Array;

/** The operator that `reader.next()` has just answered as `opcode`. */
export function instructionOf(reader: OperatorReader, opcode: number): Instruction {
  const operator = operatorOf(opcode);
  if (operator === undefined) throw new TypeError(`there is no operator ${opcode}`);
  const { name, immediates } = operator;
  return {
    opcode,
    name,
    immediates: immediates.map((kind, place) => valueOf(reader, kind, place, immediates)),
  };
}

function valueOf(
  reader: OperatorReader,
  kind: Immediate,
  place: number,
  all: readonly Immediate[],
): ImmediateValue {
  switch (formOf(kind)) {
    case "memarg":
      return {
        align: reader.first,
        memory: reader.second,
        offset: BigInt.asUintN(64, wide(reader)),
      };
    case "i32":
      return reader.low;
    case "i64":
      return wide(reader);
    case "f32":
      return BigInt.asUintN(32, BigInt(reader.low));
    case "f64":
      return BigInt.asUintN(64, wide(reader));
    case "labels":
    case "types":
      return Array.from(reader.list.subarray(0, reader.listLength));
    case "catches":
      return catchesOf(reader);
    case "v128":
    case "lanes":
      return reader.bytes.slice(reader.position - 16, reader.position);
    case "block-type":
      return reader.first;
    case "lane":
      return all.length === 1 ? reader.first : reader.third;
    case "zero":
      return 0;
    case "cast-flags":
      return reader.low;
    case "heap-type":
      return all.length === 1 ? reader.first : place === 2 ? reader.second : reader.third;
    case "index":
    default:
      return place === 0 || all[0] === "cast-flags" ? reader.first : reader.second;
  }
}

function wide(reader: OperatorReader): bigint {
  return (BigInt(reader.high) << 32n) | BigInt.asUintN(32, BigInt(reader.low));
}

function catchesOf({ list, listLength }: OperatorReader): readonly Catch[] {
  const catches: Catch[] = [];
  for (let index = 0; index < listLength; index += 3) {
    const [kind = 0, tag = 0, label = 0] = list.subarray(index, index + 3);
    catches.push({ kind, tag, label });
  }
  return catches;
}
