/**
 * @module Writes a module from one that was read. What is not replaced is copied as it stands, with
 * the widths of its integers: without edits the bytes are the same.
 */
import { rankOf, SECTION } from "../read/section-table.ts";
import type { SectionRange, WasmModule } from "../read/wasm-module.ts";
import { ByteWriter } from "./byte-writer.ts";

/** What is written otherwise than it was read. */
export interface ModuleEdits {
  /** New contents by section id; a section that the module lacks is put in its place. */
  readonly replace?: ReadonlyMap<number, Uint8Array>;
  /** Whether a section is left out. Default: none is. */
  readonly drop?: (section: SectionRange) => boolean;
}

/** Writes `module` with `edits`. */
export function writeModule(module: WasmModule, edits: ModuleEdits = {}): Uint8Array<ArrayBuffer> {
  const { bytes, sections } = module;
  const { replace = new Map<number, Uint8Array>(), drop = () => false } = edits;
  const added = [...replace.values()].reduce((sum, content) => sum + content.length + 6, 0);
  const writer = new ByteWriter(bytes.length + added);
  const first = sections[0]?.header ?? bytes.length;
  writer.copy(bytes, 0, first);
  const present = new Set(sections.map(({ id }) => id));
  const missing = [...replace.keys()].filter((id) => !present.has(id)).sort(byRank);
  for (const section of sections) {
    const { id, header, end } = section;
    if (drop(section)) continue;
    if (id === SECTION.custom) {
      writer.copy(bytes, header, end);
      continue;
    }
    while (missing.length > 0 && byRank(missing[0] as number, id) < 0)
      put(missing.shift() as number);
    if (replace.has(id)) put(id);
    else writer.copy(bytes, header, end);
  }
  for (const id of missing) put(id);
  return writer.finish();

  function put(id: number): void {
    const content = replace.get(id) as Uint8Array;
    writer.byte(id);
    writer.unsigned(content.length);
    writer.raw(content);
  }
}

function byRank(a: number, b: number): number {
  return rankOf(a) - rankOf(b);
}
