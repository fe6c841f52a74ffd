/**
 * @module What the entries of the sections say: types, imports, tables, memories, globals, tags,
 * exports, segments (core specification 5.3 and 5.5). Each function reads one entry forward.
 */
import { CONSTANT_OPCODES } from "../opcode/shape.ts";
import type { ByteReader } from "./byte-reader.ts";
import type { OperatorReader } from "./operator-reader.ts";

/** A place in the module's bytes: from `start` up to `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** A field of a struct, or the elements of an array. `type` is a value type, or 0x77 or 0x78 packed. */
export interface FieldType {
  readonly type: number;
  readonly mutable: boolean;
}

/** A type definition. Value types are numbers as of {@link ByteReader.valueType}. */
export type TypeDefinition = { readonly final: boolean; readonly supertypes: readonly number[] } & (
  | {
      readonly kind: "function";
      readonly parameters: readonly number[];
      readonly results: readonly number[];
    }
  | { readonly kind: "struct"; readonly fields: readonly FieldType[] }
  | { readonly kind: "array"; readonly fields: readonly FieldType[] }
);

/** The bounds of a memory (in pages) or table (in elements). */
export interface Limits {
  /** At the beginning. */
  readonly minimum: bigint;
  /** After growing; `undefined` where only the engine bounds it. */
  readonly maximum: bigint | undefined;
  /** Whether threads share it. */
  readonly shared: boolean;
  /** Whether addresses are i64. */
  readonly is64: boolean;
}

/** A table: its element type, bounds, and the expression that fills it where there is one. */
export interface TableType extends Limits {
  readonly element: number;
  readonly initializer: ByteRange | undefined;
}

/** A global: its value type, and the expression that sets it; imported ones have none. */
export interface GlobalType {
  readonly type: number;
  readonly mutable: boolean;
  readonly initializer: ByteRange | undefined;
}

/** A kind of import or export. */
export type EntryKind = "function" | "table" | "memory" | "global" | "tag";

/** Kinds of imports and exports, by their byte. */
export const EXTERN_KINDS: readonly EntryKind[] = ["function", "table", "memory", "global", "tag"];

/** An import; `type` is the offset of its type. */
export interface ImportEntry {
  readonly module: string;
  readonly name: string;
  readonly kind: EntryKind;
  readonly type: number;
}

/** An export and the index it exports. */
export interface ExportEntry {
  readonly name: string;
  readonly kind: EntryKind;
  readonly index: number;
}

/** An element segment. `items` are the indices, or expressions where `expressions`. */
export interface ElementSegment {
  readonly mode: "active" | "passive" | "declarative";
  readonly table: number;
  readonly offset: ByteRange | undefined;
  /** The reference type of the items. */
  readonly type: number;
  readonly expressions: boolean;
  readonly count: number;
  readonly items: ByteRange;
}

/** A data segment. */
export interface DataSegment {
  readonly mode: "active" | "passive";
  readonly memory: number;
  readonly offset: ByteRange | undefined;
  readonly bytes: ByteRange;
}

const PACKED = [0x77, 0x78];
const FUNCREF = 0x70;
const TABLE_FLAGS = 0x05;
const MEMORY_FLAGS = 0x07;
const FUNCTION_KIND = 0;
const SUPERTYPE_FORMS = { open: 0x50, final: 0x4f } as const;

/** Reads one type definition, whether in a recursive group or not. */
export function readTypeDefinition(reader: ByteReader): TypeDefinition {
  const start = reader.position;
  let form = reader.byte();
  let final = true;
  let supertypes: readonly number[] = [];
  if (form === SUPERTYPE_FORMS.open || form === SUPERTYPE_FORMS.final) {
    final = form === SUPERTYPE_FORMS.final;
    supertypes = readList(reader, 1, () => reader.u32());
    form = reader.byte();
  }
  switch (form) {
    case 0x60: {
      const parameters = readList(reader, 1, () => reader.valueType());
      const results = readList(reader, 1, () => reader.valueType());
      return { kind: "function", final, supertypes, parameters, results };
    }
    case 0x5f: {
      return {
        kind: "struct",
        final,
        supertypes,
        fields: readList(reader, 2, () => readField(reader)),
      };
    }
    case 0x5e:
      return { kind: "array", final, supertypes, fields: [readField(reader)] };
    default:
      return reader.fail("WASM_BINARY_TYPE", start, `0x${form.toString(16)} begins no type`);
  }
}

/** As {@link readTypeDefinition}, without making anything of it. */
export function skipTypeDefinition(reader: ByteReader): void {
  const start = reader.position;
  let form = reader.byte();
  if (form === SUPERTYPE_FORMS.open || form === SUPERTYPE_FORMS.final) {
    for (let left = reader.count(1); left > 0; left--) reader.u32();
    form = reader.byte();
  }
  if (form === 0x60) {
    for (let left = reader.count(1); left > 0; left--) reader.valueType();
    for (let left = reader.count(1); left > 0; left--) reader.valueType();
  } else if (form === 0x5f) {
    for (let left = reader.count(2); left > 0; left--) skipField(reader);
  } else if (form === 0x5e) skipField(reader);
  else reader.fail("WASM_BINARY_TYPE", start, `0x${form.toString(16)} begins no type`);
}

function readField(reader: ByteReader): FieldType {
  const type = skipStorageType(reader);
  return { type, mutable: readMutability(reader) };
}

function skipField(reader: ByteReader): void {
  skipStorageType(reader);
  readMutability(reader);
}

function skipStorageType(reader: ByteReader): number {
  const byte = reader.bytes[reader.position] as number;
  return PACKED.includes(byte) ? reader.byte() : reader.valueType();
}

function readMutability(reader: ByteReader): boolean {
  const start = reader.position;
  const flag = reader.byte();
  if (flag > 1) reader.fail("WASM_BINARY_TYPE", start, "mutability is 0 or 1");
  return flag === 1;
}

/** Reads bounds. Tables are not shared. */
export function readLimits(reader: ByteReader, kind: "table" | "memory"): Limits {
  const start = reader.position;
  const flags = reader.byte();
  const known = kind === "table" ? TABLE_FLAGS : MEMORY_FLAGS;
  if ((flags & ~known) !== 0) reader.fail("WASM_BINARY_TYPE", start, `a ${kind} has no such flags`);
  const is64 = (flags & 4) !== 0;
  const read = (): bigint => (is64 ? reader.u64() : BigInt(reader.u32()));
  const minimum = read();
  return {
    minimum,
    maximum: (flags & 1) === 0 ? undefined : read(),
    shared: (flags & 2) !== 0,
    is64,
  };
}

/** Reads a table; the form with an initializer only where a table is defined. */
export function readTable(
  reader: ByteReader,
  expressions: OperatorReader,
  isImport: boolean,
): TableType {
  const hasInitializer = !isImport && reader.bytes[reader.position] === 0x40;
  if (hasInitializer) {
    reader.skip(1);
    const at = reader.position;
    if (reader.byte() !== 0) reader.fail("WASM_BINARY_TYPE", at, "a zero byte is wanted");
  }
  const element = reader.referenceType();
  const limits = readLimits(reader, "table");
  const initializer = hasInitializer ? skipExpression(reader, expressions) : undefined;
  return { element, ...limits, initializer };
}

/** Reads a global's type, and its initializer where it is defined. */
export function readGlobal(
  reader: ByteReader,
  expressions: OperatorReader,
  isImport: boolean,
): GlobalType {
  const type = reader.valueType();
  const mutable = readMutability(reader);
  return { type, mutable, initializer: isImport ? undefined : skipExpression(reader, expressions) };
}

/** Reads a tag and answers its type index. */
export function readTag(reader: ByteReader): number {
  const at = reader.position;
  if (reader.byte() !== 0) reader.fail("WASM_BINARY_TYPE", at, "a tag has attribute 0");
  return reader.u32();
}

/** Reads the kind of an import or export. */
export function readKind(reader: ByteReader): EntryKind {
  const at = reader.position;
  const kind = EXTERN_KINDS[reader.byte()];
  return kind ?? reader.fail("WASM_BINARY_TYPE", at, "there is no such kind of import or export");
}

/** Reads an element segment; its eight forms are flags 0 to 7. */
export function readElementSegment(
  reader: ByteReader,
  expressions: OperatorReader,
): ElementSegment {
  const at = reader.position;
  const flags = reader.u32();
  if (flags > 7) reader.fail("WASM_BINARY_TYPE", at, "an element segment has no such flags");
  const isActive = (flags & 1) === 0;
  const table = isActive && (flags & 2) !== 0 ? reader.u32() : 0;
  const offset = isActive ? skipExpression(reader, expressions) : undefined;
  const hasExpressions = (flags & 4) !== 0;
  const type = (flags & 3) === 0 ? FUNCREF : readItemType(reader, hasExpressions);
  const count = reader.count(hasExpressions ? 2 : 1);
  const start = reader.position;
  for (let left = count; left > 0; left--) {
    if (hasExpressions) skipExpression(reader, expressions);
    else reader.u32();
  }
  const mode = isActive ? "active" : (flags & 2) === 0 ? "passive" : "declarative";
  const items = { start, end: reader.position };
  return { mode, table, offset, type, expressions: hasExpressions, count, items };
}

function readItemType(reader: ByteReader, hasExpressions: boolean): number {
  if (hasExpressions) return reader.referenceType();
  const at = reader.position;
  if (reader.byte() !== FUNCTION_KIND)
    reader.fail("WASM_BINARY_TYPE", at, "elements are functions");
  return FUNCREF;
}

/** Reads a data segment; its forms are flags 0 to 2. */
export function readDataSegment(reader: ByteReader, expressions: OperatorReader): DataSegment {
  const at = reader.position;
  const flags = reader.u32();
  if (flags > 2) reader.fail("WASM_BINARY_TYPE", at, "a data segment has no such flags");
  const memory = flags === 2 ? reader.u32() : 0;
  const offset = flags === 1 ? undefined : skipExpression(reader, expressions);
  const length = reader.u32();
  const start = reader.skip(length);
  const bytes = { start, end: reader.position };
  return { mode: flags === 1 ? "passive" : "active", memory, offset, bytes };
}

/** Reads a constant expression and answers where it stands, its `end` included. */
export function skipExpression(reader: ByteReader, expressions: OperatorReader): ByteRange {
  const start = reader.position;
  expressions.open(start, reader.end);
  for (let opcode = expressions.next(); opcode >= 0; opcode = expressions.next()) {
    if (CONSTANT_OPCODES[opcode] === 0) {
      reader.fail(
        "WASM_BINARY_OPCODE",
        expressions.offset,
        "no constant expression has this operator",
      );
    }
  }
  reader.position = expressions.position;
  return { start, end: reader.position };
}

function readList<T>(reader: ByteReader, minimum: number, read: () => T): readonly T[] {
  const list: T[] = [];
  for (let left = reader.count(minimum); left > 0; left--) list.push(read());
  return list;
}
