/** @module Maxima of memories and tables that the module defines, brought down to what it may have. */
import { type Limits, SECTION, type TableType, type WasmModule } from "@glovebox/wasm-binary";
import { ByteWriter, writeValueType } from "@glovebox/wasm-binary/write";

/** What a module may have. */
export interface Maxima {
  /** Pages of 64 KiB of each memory. */
  readonly memoryPages: number;
  /** Elements of each table. */
  readonly tableElements: number;
  /** Calls in progress at a time; `undefined` where the engine's stack is the bound. */
  readonly callDepth: number | undefined;
}

/** Pages that 32-bit addresses reach. */
const MAX_PAGES_32 = 65_536;

/** New contents of the memory and table sections; a string says what is too large from the start. */
export function limitMemories(
  module: WasmModule,
  { memoryPages, tableElements }: Maxima,
  copy: (writer: ByteWriter, start: number, end: number) => void,
): ReadonlyMap<number, Uint8Array> | string {
  const memories = [...module.memories].slice(module.imported.memory);
  const tables = [...module.tables].slice(module.imported.table);
  const largest = (list: readonly Limits[]): bigint =>
    list.reduce((most, { minimum }) => (minimum > most ? minimum : most), 0n);
  if (largest(memories) > BigInt(memoryPages)) return `a memory of ${largest(memories)} pages`;
  if (largest(tables) > BigInt(tableElements)) return `a table of ${largest(tables)} elements`;

  const replace = new Map<number, Uint8Array>();
  if (memories.length > 0) {
    const writer = new ByteWriter();
    writer.unsigned(memories.length);
    for (const memory of memories) {
      writeLimits(writer, memory, memory.is64 ? memoryPages : Math.min(memoryPages, MAX_PAGES_32));
    }
    replace.set(SECTION.memory, writer.finish());
  }
  if (tables.length > 0) {
    const writer = new ByteWriter();
    writer.unsigned(tables.length);
    for (const table of tables) writeTable(writer, table, tableElements, copy);
    replace.set(SECTION.table, writer.finish());
  }
  return replace;
}

function writeTable(
  writer: ByteWriter,
  table: TableType,
  most: number,
  copy: (writer: ByteWriter, start: number, end: number) => void,
): void {
  if (table.initializer !== undefined) writer.raw([0x40, 0x00]);
  writeValueType(writer, table.element);
  writeLimits(writer, table, most);
  if (table.initializer !== undefined) {
    copy(writer, table.initializer.start, table.initializer.end);
  }
}

function writeLimits(writer: ByteWriter, limits: Limits, most: number): void {
  const { minimum, maximum, shared, is64 } = limits;
  const cap = BigInt(most);
  writer.byte(1 | (shared ? 2 : 0) | (is64 ? 4 : 0));
  writer.unsigned64(minimum);
  writer.unsigned64(maximum === undefined || maximum > cap ? cap : maximum);
}
