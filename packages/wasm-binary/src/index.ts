/** @module The door @glovebox/wasm-binary. Reading modules. */
export { WASM_BINARY_ERRORS, WasmBinaryError } from "./errors.ts";
export type { WasmBinaryErrorCode } from "./errors.ts";
export { ByteReader } from "./read/byte-reader.ts";
export type {
  ByteRange,
  DataSegment,
  ElementSegment,
  EntryKind,
  ExportEntry,
  FieldType,
  GlobalType,
  ImportEntry,
  Limits,
  TableType,
  TypeDefinition,
} from "./read/entries.ts";
export type { EntryList } from "./read/entry-list.ts";
export { ModuleParser } from "./read/module-parser.ts";
export type { ModulePart, ParserStep } from "./read/module-parser.ts";
export { parseModule, readModule } from "./read/read-module.ts";
export type { ReadOptions } from "./read/read-module.ts";
export { SECTION } from "./read/section-table.ts";
export type { FunctionBodies, ImportCounts, SectionRange, WasmModule } from "./read/wasm-module.ts";
