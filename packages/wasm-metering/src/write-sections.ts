/** @module The sections in which metering appends something: types, functions, globals, exports, code. */
import { ByteReader, type EntryKind, SECTION, type WasmModule } from "@glovebox/wasm-binary";
import { ByteWriter } from "@glovebox/wasm-binary/write";

import type { FuelNames } from "./fuel-names.ts";
import type { FunctionReferences } from "./rewrite/function-references.ts";
import type { WrittenCode } from "./write-code.ts";

const KIND_BYTES: Readonly<Record<EntryKind, number>> = {
  function: 0,
  table: 1,
  memory: 2,
  global: 3,
  tag: 4,
};
/** mut i64, i64.const 0, end. */
const FUEL_GLOBAL = [0x7e, 0x01, 0x42, 0x00, 0x0b];
/** mut i32, i32.const 0, end. */
const DEPTH_GLOBAL = [0x7f, 0x01, 0x41, 0x00, 0x0b];

/** New contents by section id. */
export function writeSections(
  module: WasmModule,
  code: WrittenCode,
  names: FuelNames,
  { references, reference, element }: MovedReferences,
): ReadonlyMap<number, Uint8Array> {
  const copy = (writer: ByteWriter, start: number, end: number): void =>
    references.copy(writer, start, end, reference);
  const globals = names.depth === undefined ? [FUEL_GLOBAL] : [DEPTH_GLOBAL, FUEL_GLOBAL];
  const copyElements: typeof copy = (writer, start, end) =>
    references.copy(writer, start, end, element);
  const sections = new Map<number, Uint8Array>([
    [
      SECTION.type,
      appended(module, SECTION.type, code.types.size, copy, (writer) => code.types.write(writer)),
    ],
    [SECTION.function, writeFunctions(code.functionTypes)],
    [
      SECTION.global,
      appended(module, SECTION.global, globals.length, copy, (writer) =>
        writer.raw(globals.flat()),
      ),
    ],
    [SECTION.export, writeExports(module, code.fuelGlobal, names, reference)],
    [SECTION.code, code.content],
  ]);
  if (module.elements.length > 0) {
    sections.set(
      SECTION.element,
      appended(module, SECTION.element, 0, copyElements, () => {}),
    );
  }
  return sections;
}

/** References to functions, and what stands for each. */
export interface MovedReferences {
  readonly references: FunctionReferences;
  readonly reference: (index: number) => number;
  /** As `reference`, in tables. */
  readonly element: (index: number) => number;
}

function writeFunctions(types: readonly number[]): Uint8Array {
  const writer = new ByteWriter(2 * types.length + 8);
  writer.unsigned(types.length);
  for (const type of types) writer.unsigned(type);
  return writer.finish();
}

function writeExports(
  module: WasmModule,
  fuelGlobal: number,
  names: FuelNames,
  reference: (index: number) => number,
): Uint8Array {
  const writer = new ByteWriter(1_024);
  const added = [names.fuel, names.start, names.depth].filter((name) => name !== undefined);
  writer.unsigned(module.exports.length + added.length);
  const write = (name: string, kind: EntryKind, index: number): void => {
    writer.name(name);
    writer.byte(KIND_BYTES[kind]);
    writer.unsigned(kind === "function" ? reference(index) : index);
  };
  for (const { name, kind, index } of module.exports) write(name, kind, index);
  write(names.fuel, "global", fuelGlobal);
  if (names.depth !== undefined) write(names.depth, "global", module.globals.length);
  if (names.start !== undefined && module.start !== undefined)
    write(names.start, "function", module.start);
  return writer.finish();
}

/** A section that begins with a count, with `more` entries behind those that it has. */
function appended(
  { bytes, sections }: WasmModule,
  id: number,
  more: number,
  copy: (writer: ByteWriter, start: number, end: number) => void,
  write: (writer: ByteWriter) => void,
): Uint8Array {
  const writer = new ByteWriter(1_024);
  const section = sections.find((candidate) => candidate.id === id);
  if (section === undefined) writer.unsigned(more);
  else {
    const reader = new ByteReader(bytes, section.start, section.end);
    writer.unsigned(reader.u32() + more);
    copy(writer, reader.position, section.end);
  }
  write(writer);
  return writer.finish();
}
