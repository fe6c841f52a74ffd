/** @module The sections in which metering appends something: types, functions, globals, exports, code. */
import { ByteReader, SECTION, type WasmModule } from "@glovebox/wasm-binary";
import { ByteWriter } from "@glovebox/wasm-binary/write";

import type { FuelNames } from "./fuel-names.ts";
import type { WrittenCode } from "./write-code.ts";

const EXPORT_FUNCTION = 0;
const EXPORT_GLOBAL = 3;
/** mut i64, i64.const 0, end. */
const FUEL_GLOBAL = [0x7e, 0x01, 0x42, 0x00, 0x0b];

/** New contents by section id. */
export function writeSections(
  module: WasmModule,
  code: WrittenCode,
  names: FuelNames,
): ReadonlyMap<number, Uint8Array> {
  return new Map([
    [
      SECTION.type,
      appended(module, SECTION.type, code.types.size, (writer) => code.types.write(writer)),
    ],
    [
      SECTION.function,
      appended(module, SECTION.function, code.addedFunctions.length, (writer) => {
        for (const type of code.addedFunctions) writer.unsigned(type);
      }),
    ],
    [SECTION.global, appended(module, SECTION.global, 1, (writer) => writer.raw(FUEL_GLOBAL))],
    [SECTION.export, writeExports(module, code.fuelGlobal, names)],
    [SECTION.code, code.content],
  ]);
}

function writeExports(module: WasmModule, fuelGlobal: number, names: FuelNames): Uint8Array {
  return appended(module, SECTION.export, names.start === undefined ? 1 : 2, (writer) => {
    writer.name(names.fuel);
    writer.byte(EXPORT_GLOBAL);
    writer.unsigned(fuelGlobal);
    if (names.start === undefined || module.start === undefined) return;
    writer.name(names.start);
    writer.byte(EXPORT_FUNCTION);
    writer.unsigned(module.start);
  });
}

/** A section that begins with a count, with `more` entries behind those that it has. */
function appended(
  { bytes, sections }: WasmModule,
  id: number,
  more: number,
  write: (writer: ByteWriter) => void,
): Uint8Array {
  const writer = new ByteWriter(1_024);
  const section = sections.find((candidate) => candidate.id === id);
  if (section === undefined) writer.unsigned(more);
  else {
    const reader = new ByteReader(bytes, section.start, section.end);
    writer.unsigned(reader.u32() + more);
    writer.copy(bytes, reader.position, section.end);
  }
  write(writer);
  return writer.finish();
}
