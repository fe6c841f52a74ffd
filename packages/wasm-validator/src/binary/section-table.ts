/**
 * @module The sections of a core module, in the order in which they must stand (WebAssembly core
 * specification 3.0, section 5.5.2; tag section by exception handling, data count by bulk memory).
 */

/** One kind of section. */
export interface SectionKind {
  readonly id: number;
  readonly name: string;
}

/** Every section but the custom one, in order. */
export const SECTION_ORDER: readonly SectionKind[] = [
  { id: 1, name: "type" },
  { id: 2, name: "import" },
  { id: 3, name: "function" },
  { id: 4, name: "table" },
  { id: 5, name: "memory" },
  { id: 13, name: "tag" },
  { id: 6, name: "global" },
  { id: 7, name: "export" },
  { id: 8, name: "start" },
  { id: 9, name: "element" },
  { id: 12, name: "data count" },
  { id: 10, name: "code" },
  { id: 11, name: "data" },
];

/** Id of custom sections, which may stand anywhere. */
export const CUSTOM_SECTION = 0;
/** Id of the import section. */
export const IMPORT_SECTION = 2;
/** Id of the export section. */
export const EXPORT_SECTION = 7;
