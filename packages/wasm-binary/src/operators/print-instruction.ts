/** @module An operator in the text format, its indices as numbers (core specification 6.5). */
import { formOf, type Immediate } from "../opcode/operator.ts";
import { operatorOf } from "../opcode/table.ts";
import type { Catch, ImmediateValue, Instruction, MemoryArgument } from "./instruction.ts";
import { printBlockType, printHeapType, printValueType } from "./print-type.ts";

const CATCH_NAMES = ["catch", "catch_ref", "catch_all", "catch_all_ref"];

/** Prints one operator, as in `i32.load offset=8` or `br_table 0 1 2`. */
export function printInstruction({ opcode, name, immediates }: Instruction): string {
  const kinds = operatorOf(opcode)?.immediates ?? [];
  const words = kinds.map((kind, place) => print(kind, immediates[place] as ImmediateValue));
  return [name, ...words].filter((word) => word !== "").join(" ");
}

function print(kind: Immediate, value: ImmediateValue): string {
  switch (formOf(kind)) {
    case "block-type":
      return printBlockType(value as number);
    case "labels":
      return (value as readonly number[]).join(" ");
    case "types":
      return `(result ${(value as readonly number[]).map(printValueType).join(" ")})`;
    case "memarg":
      return printMemoryArgument(value as MemoryArgument);
    case "f32":
      return printFloat(value as bigint, 32);
    case "f64":
      return printFloat(value as bigint, 64);
    case "v128":
      return `i8x16 ${(value as Uint8Array).join(" ")}`;
    case "lanes":
      return (value as Uint8Array).join(" ");
    case "heap-type":
      return printHeapType(value as number);
    case "catches":
      return (value as readonly Catch[]).map(printCatch).join(" ");
    case "cast-flags":
      return `flags=${value as number}`;
    case "zero":
      return "";
    case "index":
    case "i32":
    case "i64":
    case "lane":
    default:
      return `${value as number | bigint}`;
  }
}

/** The alignment is printed as its exponent's power; which one is natural the text leaves out. */
function printMemoryArgument({ align, memory, offset }: MemoryArgument): string {
  return [
    memory === 0 ? "" : String(memory),
    offset === 0n ? "" : `offset=${offset}`,
    `align=${2 ** align}`,
  ]
    .filter((word) => word !== "")
    .join(" ");
}

function printCatch({ kind, tag, label }: Catch): string {
  return `(${CATCH_NAMES[kind]}${kind < 2 ? ` ${tag}` : ""} ${label})`;
}

/** Exact for every value: NaN payloads in hex, everything else as JavaScript prints a float64. */
function printFloat(bits: bigint, size: 32 | 64): string {
  const view = new DataView(new ArrayBuffer(8));
  if (size === 32) view.setUint32(0, Number(bits));
  else view.setBigUint64(0, bits);
  const value = size === 32 ? view.getFloat32(0) : view.getFloat64(0);
  const mantissa = size === 32 ? 23n : 52n;
  const sign = bits >> BigInt(size - 1) === 1n ? "-" : "";
  if (Number.isNaN(value)) return `${sign}nan:0x${(bits & ((1n << mantissa) - 1n)).toString(16)}`;
  if (!Number.isFinite(value)) return `${sign}inf`;
  return Object.is(value, -0) ? "-0" : String(value);
}
