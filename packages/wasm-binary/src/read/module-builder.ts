/** @module Makes the index of a module from its parts, section by section. */
import { WasmBinaryError } from "../errors.ts";
import { ByteReader } from "./byte-reader.ts";
import {
  EXTERN_KINDS,
  readDataSegment,
  readElementSegment,
  readGlobal,
  readKind,
  readLimits,
  readTable,
  readTag,
  readTypeDefinition,
  skipTypeDefinition,
} from "./entries.ts";
import { EntryList, OffsetColumn } from "./entry-list.ts";
import { OperatorReader } from "./operator-reader.ts";
import { SECTION } from "./section-table.ts";
import type { ImportCounts, SectionRange, WasmModule } from "./wasm-module.ts";

const REC_GROUP = 0x4e;

/** Collects the parts of one module. */
export class ModuleBuilder {
  readonly #bytes: Uint8Array;
  readonly #reader: ByteReader;
  readonly #expressions: OperatorReader;
  readonly #sections: SectionRange[] = [];
  readonly #columns = {
    types: new OffsetColumn(),
    imports: new OffsetColumn(),
    functions: new OffsetColumn(),
    tables: new OffsetColumn(),
    memories: new OffsetColumn(),
    globals: new OffsetColumn(),
    tags: new OffsetColumn(),
    exports: new OffsetColumn(),
    elements: new OffsetColumn(),
    data: new OffsetColumn(),
    starts: new OffsetColumn(),
    ends: new OffsetColumn(),
  };
  readonly #imported = { function: 0, table: 0, memory: 0, global: 0, tag: 0 };
  #typeEntries = 0;
  #hasRecursiveGroups = false;
  #start: number | undefined;
  #dataCount: number | undefined;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#reader = new ByteReader(bytes);
    this.#expressions = new OperatorReader(bytes);
  }

  /** Reads one section; of the code section only its count. */
  section({ id, header, start, end }: SectionRange): void {
    this.#sections.push(Object.freeze({ id, header, start, end }));
    this.#reader.seek(start, end);
    if (id === SECTION.code) return this.#code();
    this.#content(id);
    if (this.#reader.position !== end) {
      this.#reader.fail(
        "WASM_BINARY_SECTION",
        this.#reader.position,
        "a section goes on behind its content",
      );
    }
  }

  /** Notes where a function body stands. */
  body(start: number, end: number): void {
    this.#columns.starts.push(start);
    this.#columns.ends.push(end);
  }

  /** The module, when all parts were given. */
  finish(): WasmModule {
    const bytes = this.#bytes;
    const columns = this.#columns;
    const defined = columns.functions.length - this.#imported.function;
    if (columns.starts.length !== defined) {
      this.#fail(`${defined} functions are declared, ${columns.starts.length} have a body`);
    }
    if (this.#dataCount !== undefined && this.#dataCount !== columns.data.length) {
      this.#fail(
        `${this.#dataCount} data segments are announced, ${columns.data.length} are there`,
      );
    }
    const list = <T>(
      column: OffsetColumn,
      read: (reader: ByteReader, index: number) => T,
    ): EntryList<T> =>
      new EntryList(column.finish(), (offset, index) => read(new ByteReader(bytes, offset), index));
    const expressions = new OperatorReader(bytes);
    const imported: ImportCounts = Object.freeze({ ...this.#imported });
    const [starts, ends] = [columns.starts.finish(), columns.ends.finish()];
    return Object.freeze<WasmModule>({
      bytes,
      sections: Object.freeze(this.#sections),
      types: list(columns.types, readTypeDefinition),
      typeEntries: this.#typeEntries,
      hasRecursiveGroups: this.#hasRecursiveGroups,
      imports: list(columns.imports, readImport),
      imported,
      functions: columns.functions.finish(),
      tables: list(columns.tables, (reader, index) =>
        readTable(reader, expressions, index < imported.table),
      ),
      memories: list(columns.memories, (reader) => readLimits(reader, "memory")),
      globals: list(columns.globals, (reader, index) =>
        readGlobal(reader, expressions, index < imported.global),
      ),
      tags: list(columns.tags, readTag),
      exports: list(columns.exports, (reader) => {
        const name = reader.name();
        return { name, kind: readKind(reader), index: reader.u32() };
      }),
      start: this.#start,
      elements: list(columns.elements, (reader) => readElementSegment(reader, expressions)),
      dataCount: this.#dataCount,
      data: list(columns.data, (reader) => readDataSegment(reader, expressions)),
      bodies: Object.freeze({
        length: starts.length,
        startOf: (index: number) => at(starts, index),
        endOf: (index: number) => at(ends, index),
      }),
    });
  }

  #content(id: number): void {
    const reader = this.#reader;
    const expressions = this.#expressions;
    const columns = this.#columns;
    switch (id) {
      case SECTION.custom:
        reader.skipName();
        reader.seek(reader.end, reader.end);
        return;
      case SECTION.type:
        return this.#types();
      case SECTION.import:
        return this.#each(columns.imports, 4, () => this.#import());
      case SECTION.function: {
        const count = reader.count(1);
        columns.functions.reserve(count);
        for (let left = count; left > 0; left--) columns.functions.push(reader.u32());
        return;
      }
      case SECTION.table:
        return this.#each(columns.tables, 3, () => void readTable(reader, expressions, false));
      case SECTION.memory:
        return this.#each(columns.memories, 2, () => void readLimits(reader, "memory"));
      case SECTION.tag:
        return this.#each(columns.tags, 2, () => void readTag(reader));
      case SECTION.global:
        return this.#each(columns.globals, 4, () => void readGlobal(reader, expressions, false));
      case SECTION.export:
        return this.#each(columns.exports, 3, () => {
          reader.skipName();
          readKind(reader);
          reader.u32();
        });
      case SECTION.start:
        this.#start = reader.u32();
        return;
      case SECTION.element:
        return this.#each(columns.elements, 2, () => void readElementSegment(reader, expressions));
      case SECTION.dataCount:
        this.#dataCount = reader.u32();
        return;
      default:
        return this.#each(columns.data, 2, () => void readDataSegment(reader, expressions));
    }
  }

  #types(): void {
    const reader = this.#reader;
    const { types } = this.#columns;
    this.#typeEntries = reader.count(2);
    types.reserve(this.#typeEntries);
    for (let left = this.#typeEntries; left > 0; left--) {
      if (reader.bytes[reader.position] !== REC_GROUP) {
        types.push(reader.position);
        skipTypeDefinition(reader);
        continue;
      }
      reader.skip(1);
      // A type takes two bytes at least: room for all that can follow, once.
      if (!this.#hasRecursiveGroups) types.reserve((reader.end - reader.position) >> 1);
      this.#hasRecursiveGroups = true;
      for (let inner = reader.count(2); inner > 0; inner--) {
        types.push(reader.position);
        skipTypeDefinition(reader);
      }
    }
  }

  #import(): void {
    const reader = this.#reader;
    reader.skipName();
    reader.skipName();
    const kind = readKind(reader);
    const type = reader.position;
    this.#imported[kind]++;
    switch (kind) {
      case "function":
        return this.#columns.functions.push(reader.u32());
      case "table":
        this.#columns.tables.push(type);
        return void readTable(reader, this.#expressions, true);
      case "memory":
        this.#columns.memories.push(type);
        return void readLimits(reader, "memory");
      case "global":
        this.#columns.globals.push(type);
        return void readGlobal(reader, this.#expressions, true);
      case "tag":
        this.#columns.tags.push(type);
        return void readTag(reader);
    }
  }

  /** Reads the entries of a section that take at least `minimum` bytes each. */
  #each(column: OffsetColumn, minimum: number, read: () => void): void {
    const count = this.#reader.count(minimum);
    column.reserve(count);
    for (let left = count; left > 0; left--) {
      column.push(this.#reader.position);
      read();
    }
  }

  #code(): void {
    const count = this.#reader.count(3);
    this.#columns.starts.reserve(count);
    this.#columns.ends.reserve(count);
  }

  #fail(problem: string): never {
    throw new WasmBinaryError("WASM_BINARY_COUNT", this.#bytes.length, problem);
  }
}

function readImport(
  reader: ByteReader,
): WasmModule["imports"] extends EntryList<infer T> ? T : never {
  const module = reader.name();
  const name = reader.name();
  const kind = EXTERN_KINDS[reader.byte()];
  if (kind === undefined) throw new TypeError("a kind that was read has become another");
  return { module, name, kind, type: reader.position };
}

function at(offsets: Uint32Array, index: number): number {
  const offset = offsets[index];
  if (offset === undefined) {
    throw new WasmBinaryError("WASM_BINARY_USAGE", 0, `there is no body ${index}`);
  }
  return offset;
}
