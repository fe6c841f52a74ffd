/** @module The sections of a module, as far as they can be read. */
import { ModuleParser } from "@glovebox/wasm-binary";
import { ByteReader, SECTION } from "@glovebox/wasm-binary";

import { MAX_NAME_BYTES } from "../limits.ts";
import { Defect, defectOf, type ModuleDefect } from "./defect.ts";
import { assertPlain } from "./names.ts";

/** One section as it stands in the module. */
export interface ModuleSection {
  readonly id: number;
  /** Its kind, or for a custom section its own name. */
  readonly name: string;
  /** Where its contents begin, in bytes from the start of the module. */
  readonly offset: number;
  /** Bytes of its contents. */
  readonly size: number;
}

/** Sections up to the first that cannot be read. */
export interface SectionReading {
  readonly sections: readonly ModuleSection[];
  readonly defect?: ModuleDefect;
}

const KINDS: ReadonlyMap<number, string> = new Map(
  Object.entries(SECTION)
    .filter(([, id]) => id !== SECTION.custom)
    .map(([name, id]) => [id, name === "dataCount" ? "data count" : name]),
);

/** Lists sections without reading into them. */
export function listSections(bytes: Uint8Array): SectionReading {
  const sections: ModuleSection[] = [];
  const parser = new ModuleParser();
  let code: ModuleSection | undefined;
  try {
    for (;;) {
      const step = parser.parse(bytes.subarray(parser.offset), true);
      if (step.kind === "need-more") continue;
      const { part } = step;
      if (part.kind !== "section" && part.kind !== "end") continue;
      // A code section was read when something comes behind its bodies.
      if (code !== undefined) sections.push(code);
      code = undefined;
      if (part.kind === "end") return { sections };
      const { id, header, start, end } = part;
      const name = KINDS.get(id) ?? customName(bytes, start, end);
      const size = id === SECTION.code ? sectionSize(bytes, header) : end - start;
      const section = Object.freeze({ id, name, offset: start, size });
      if (id === SECTION.code) code = section;
      else sections.push(section);
    }
  } catch (error) {
    return { sections, defect: defectOf(error) };
  }
}

/** Of the code section the parser answers only what stands before the bodies. */
function sectionSize(bytes: Uint8Array, header: number): number {
  const reader = new ByteReader(bytes);
  reader.seek(header + 1, bytes.length);
  return reader.u32();
}

function customName(bytes: Uint8Array, start: number, end: number): string {
  const reader = new ByteReader(bytes);
  reader.seek(start, end);
  const name = reader.name();
  if (name.length > MAX_NAME_BYTES) throw new Defect("WASM_NAME", start, "a name is too long");
  assertPlain(name, start);
  return name;
}
