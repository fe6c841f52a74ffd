/**
 * @module Custom sections that speak of offsets in code, which metering changes: they are dropped
 * and reported. Names of functions stay true, since functions are only appended.
 */
import { ByteReader, SECTION, type SectionRange, type WasmModule } from "@glovebox/wasm-binary";

/** Names, or beginnings of names, of sections that go stale. */
const STALE_SECTIONS = [
  /** Branch hints and other annotations of code. */
  "metadata.code.",
  /** DWARF. */
  ".debug_",
  "external_debug_info",
  "sourceMappingURL",
  /** Relocations and the symbols they use. */
  "reloc.",
  "linking",
] as const;

/** Sections that are left out, by the offset of their header, with their names. */
export function findStaleSections(module: WasmModule): ReadonlyMap<number, string> {
  const stale = new Map<number, string>();
  for (const section of module.sections) {
    if (section.id !== SECTION.custom) continue;
    const name = nameOf(module, section);
    if (STALE_SECTIONS.some((beginning) => name.startsWith(beginning)))
      stale.set(section.header, name);
  }
  return stale;
}

function nameOf({ bytes }: WasmModule, { start, end }: SectionRange): string {
  return new ByteReader(bytes, start, end).name();
}
