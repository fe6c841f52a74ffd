/**
 * @module A module that was read: an index into its bytes. Lists of imported kinds begin with the
 * imported ones, as the index spaces do.
 */
import type {
  ByteRange,
  DataSegment,
  ElementSegment,
  ExportEntry,
  GlobalType,
  ImportEntry,
  Limits,
  TableType,
  TypeDefinition,
} from "./entries.ts";
import type { EntryList } from "./entry-list.ts";

/** A section as it stands in the bytes. */
export interface SectionRange extends ByteRange {
  /** 0 for a custom section. */
  readonly id: number;
  /** Offset of the id byte; `start` is where the content begins. */
  readonly header: number;
}

/** How many of each kind are imported. */
export interface ImportCounts {
  readonly function: number;
  readonly table: number;
  readonly memory: number;
  readonly global: number;
  readonly tag: number;
}

/** Function bodies: where each begins (its locals) and ends, `end` operator included. */
export interface FunctionBodies {
  readonly length: number;
  /** Offset of the first byte of the body at `index`; imported functions are not counted. */
  startOf(index: number): number;
  /** Offset behind its last byte. */
  endOf(index: number): number;
}

/** A module. Its bytes are not copied: whoever holds them must not write to them. */
export interface WasmModule {
  readonly bytes: Uint8Array;
  readonly sections: readonly SectionRange[];
  readonly types: EntryList<TypeDefinition>;
  /** Entries of the type section: fewer than types where recursive groups hold several, or none. */
  readonly typeEntries: number;
  readonly hasRecursiveGroups: boolean;
  readonly imports: EntryList<ImportEntry>;
  readonly imported: ImportCounts;
  /** The type index of each function. */
  readonly functions: Uint32Array;
  readonly tables: EntryList<TableType>;
  readonly memories: EntryList<Limits>;
  readonly globals: EntryList<GlobalType>;
  /** The type index of each tag. */
  readonly tags: EntryList<number>;
  readonly exports: EntryList<ExportEntry>;
  /** The index of the start function. */
  readonly start: number | undefined;
  readonly elements: EntryList<ElementSegment>;
  readonly dataCount: number | undefined;
  readonly data: EntryList<DataSegment>;
  readonly bodies: FunctionBodies;
}
