/**
 * @module The walk over a module's sections: header, order, lengths (WebAssembly core specification
 * 5.5). It reads two numbers of each section and jumps over the rest, so that its work is bounded
 * by the number of sections and not by anything that a section says.
 */
import { HEADER_BYTES, MAX_SECTIONS } from "../limits.ts";
import { type Cursor, Malformed, readByte, readName, readU32 } from "./cursor.ts";
import { CUSTOM_SECTION, SECTION_ORDER } from "./section-table.ts";

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

const MAGIC = [0x00, 0x61, 0x73, 0x6d];
const CORE_VERSION = 1;

/** Whether the bytes begin as every WebAssembly binary does. */
export function hasMagic(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, index) => bytes[index] === byte);
}

/** The version field of the header; undefined when the bytes end before it. */
export function readVersion(bytes: Uint8Array): number | undefined {
  if (bytes.byteLength < HEADER_BYTES) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(4, true);
}

/** Reads the header and yields each section; the first failure ends the walk. */
export function* walkSections(bytes: Uint8Array): Generator<ModuleSection> {
  if (!hasMagic(bytes))
    throw new Malformed("WASM_MAGIC", 0, "the magic number 00 61 73 6d is missing");
  const version = readVersion(bytes);
  if (version !== CORE_VERSION) {
    const found = version === undefined ? "nothing" : `0x${version.toString(16)}`;
    throw new Malformed(
      "WASM_VERSION",
      4,
      `version 1 of core modules is expected, ${found} received`,
    );
  }
  const cursor: Cursor = { bytes, at: HEADER_BYTES, end: bytes.byteLength };
  let rank = -1;
  for (let count = 0; cursor.at < cursor.end; count += 1) {
    const start = cursor.at;
    if (count >= MAX_SECTIONS) {
      throw new Malformed("WASM_COUNT", start, `there are more than ${MAX_SECTIONS} sections`);
    }
    const id = readByte(cursor);
    const size = readU32(cursor);
    if (size > cursor.end - cursor.at) {
      const left = cursor.end - cursor.at;
      throw new Malformed("WASM_SECTION", start, `section ${id} claims ${size} bytes of ${left}`);
    }
    const offset = cursor.at;
    cursor.at += size;
    if (id === CUSTOM_SECTION) {
      yield { id, name: readName({ bytes, at: offset, end: cursor.at }), offset, size };
      continue;
    }
    const nextRank = SECTION_ORDER.findIndex((kind) => kind.id === id);
    const name = SECTION_ORDER[nextRank]?.name;
    if (name === undefined)
      throw new Malformed("WASM_SECTION", start, `section id ${id} is unknown`);
    if (nextRank <= rank) {
      throw new Malformed("WASM_SECTION", start, `the ${name} section is repeated or out of order`);
    }
    rank = nextRank;
    yield { id, name, offset, size };
  }
}
