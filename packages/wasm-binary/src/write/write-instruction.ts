/** @module Writes an operator from its value, in the shortest encoding. */
import { formOf, type Immediate } from "../opcode/operator.ts";
import { operatorOf } from "../opcode/table.ts";
import type {
  Catch,
  ImmediateValue,
  Instruction,
  MemoryArgument,
} from "../operators/instruction.ts";
import { HEAP_BIAS } from "../read/byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";

/** Writes one operator with its immediates. */
export function writeInstruction(writer: ByteWriter, { opcode, immediates }: Instruction): void {
  const operator = operatorOf(opcode);
  if (operator === undefined) throw new TypeError(`there is no operator ${opcode}`);
  writer.byte(operator.byte);
  if (operator.sub >= 0) writer.unsigned(operator.sub);
  for (const [place, kind] of operator.immediates.entries()) {
    writeImmediate(writer, kind, immediates[place] as ImmediateValue);
  }
}

function writeImmediate(writer: ByteWriter, kind: Immediate, value: ImmediateValue): void {
  switch (formOf(kind)) {
    case "block-type":
      return writeBlockType(writer, value as number);
    case "labels": {
      const labels = value as readonly number[];
      writer.unsigned(labels.length - 1);
      for (const label of labels) writer.unsigned(label);
      return;
    }
    case "types": {
      const types = value as readonly number[];
      writer.unsigned(types.length);
      for (const type of types) writeValueType(writer, type);
      return;
    }
    case "memarg": {
      const { align, memory, offset } = value as MemoryArgument;
      writer.unsigned(memory === 0 ? align : align | 0x40);
      if (memory !== 0) writer.unsigned(memory);
      return writer.unsigned64(offset);
    }
    case "i32":
    case "heap-type":
      return writer.signed(value as number);
    case "i64":
      return writer.signed64(value as bigint);
    case "f32":
      return writer.littleEndian(value as bigint, 4);
    case "f64":
      return writer.littleEndian(value as bigint, 8);
    case "v128":
    case "lanes":
      return writer.raw(value as Uint8Array);
    case "lane":
    case "zero":
    case "cast-flags":
      return writer.byte(value as number);
    case "catches": {
      const catches = value as readonly Catch[];
      writer.unsigned(catches.length);
      for (const { kind: form, tag, label } of catches) {
        writer.byte(form);
        if (form < 2) writer.unsigned(tag);
        writer.unsigned(label);
      }
      return;
    }
    case "index":
      return writer.unsigned(value as number);
  }
}

/** Writes a value type as the reader numbers it. */
export function writeValueType(writer: ByteWriter, type: number): void {
  const byte = type % 256;
  writer.byte(byte);
  if (byte === 0x63 || byte === 0x64) writer.signed(Math.floor(type / 256) - HEAP_BIAS);
}

function writeBlockType(writer: ByteWriter, type: number): void {
  if (type >= 0) return writer.signed(type);
  if (type === -64) return writer.byte(0x40);
  writeValueType(writer, -65 - type);
}
