/**
 * @module What a module imports and exports, read from its sections (WebAssembly core specification
 * 5.5.5 and 5.5.10). Types are passed over, not judged: that is the engine's part. A kind or a type
 * that this reader does not know ends the reading, because what follows could not be found.
 */
import type { ExternKind, ModuleExport, ModuleImport } from "@glovebox/core/ports";

import { MAX_EXPORTS, MAX_IMPORTS, MAX_U32_BYTES } from "../limits.ts";
import {
  type Cursor,
  Malformed,
  readByte,
  readCount,
  readName,
  readU32,
  skipInteger,
} from "./cursor.ts";
import type { ModuleSection } from "./sections.ts";

const KINDS: readonly ExternKind[] = ["function", "table", "memory", "global", "tag"];
// Module, name, kind and a type index take at least four bytes; name, kind and index three.
const MIN_IMPORT_BYTES = 4;
const MIN_EXPORT_BYTES = 3;

/** Reads an import section. */
export function readImports(bytes: Uint8Array, section: ModuleSection): ModuleImport[] {
  return readEntries(bytes, section, MIN_IMPORT_BYTES, MAX_IMPORTS, (cursor) => {
    const module = readName(cursor);
    const name = readName(cursor);
    const kind = readKind(cursor);
    skipType(cursor, kind);
    return Object.freeze({ module, name, kind });
  });
}

/** Reads an export section. */
export function readExports(bytes: Uint8Array, section: ModuleSection): ModuleExport[] {
  return readEntries(bytes, section, MIN_EXPORT_BYTES, MAX_EXPORTS, (cursor) => {
    const name = readName(cursor);
    const kind = readKind(cursor);
    readU32(cursor);
    return Object.freeze({ name, kind });
  });
}

function readEntries<T>(
  bytes: Uint8Array,
  section: ModuleSection,
  minBytes: number,
  max: number,
  readEntry: (cursor: Cursor) => T,
): T[] {
  const cursor: Cursor = { bytes, at: section.offset, end: section.offset + section.size };
  const count = readCount(cursor, minBytes, max, `${section.name}s`);
  const entries: T[] = [];
  while (entries.length < count) entries.push(readEntry(cursor));
  if (cursor.at !== cursor.end) {
    throw new Malformed(
      "WASM_SECTION",
      cursor.at,
      `the ${section.name} section has bytes left over`,
    );
  }
  return entries;
}

function readKind(cursor: Cursor): ExternKind {
  const at = cursor.at;
  const code = readByte(cursor);
  const kind = KINDS[code];
  if (kind === undefined) throw new Malformed("WASM_TYPE", at, `external kind ${code} is unknown`);
  return kind;
}

function skipType(cursor: Cursor, kind: ExternKind): void {
  switch (kind) {
    case "function":
      readU32(cursor);
      return;
    case "table":
      skipValueType(cursor);
      skipLimits(cursor);
      return;
    case "memory":
      skipLimits(cursor);
      return;
    case "global":
      skipValueType(cursor);
      readByte(cursor);
      return;
    case "tag":
      readByte(cursor);
      readU32(cursor);
      return;
  }
}

/** 5.3.4: one byte, or for a typed reference (0x63, 0x64) a heap type after it. */
function skipValueType(cursor: Cursor): void {
  const at = cursor.at;
  const code = readByte(cursor);
  if (code === 0x63 || code === 0x64) skipInteger(cursor, MAX_U32_BYTES);
  else if (code < 0x65 || code > 0x7f) {
    throw new Malformed("WASM_TYPE", at, `value type 0x${code.toString(16)} is unknown`);
  }
}

/** 5.3.13: bit 0 says whether a maximum follows; shared (bit 1) and 64-bit (bit 2) change nothing. */
function skipLimits(cursor: Cursor): void {
  const at = cursor.at;
  const flags = readByte(cursor);
  if (flags > 7) throw new Malformed("WASM_TYPE", at, `limits of kind ${flags} are unknown`);
  skipInteger(cursor);
  if ((flags & 1) === 1) skipInteger(cursor);
}
