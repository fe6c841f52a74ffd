import { readModule, SECTION, type WasmModule } from "@glovebox/wasm-binary";
import { ByteWriter, writeModule } from "@glovebox/wasm-binary/write";
import { describe, expect, it } from "vitest";

import { moduleOf, ONE_FUNCTION, ONE_TYPE, section } from "./module-bytes.ts";

function read(bytes: Uint8Array): WasmModule {
  const decision = readModule(bytes);
  if (!decision.allowed) throw new Error(decision.reason);
  return decision.value;
}

describe("a module that is written", () => {
  const original = moduleOf(
    section(0, 1, 0x78),
    ONE_TYPE,
    ONE_FUNCTION,
    section(10, 1, 2, 0, 0x0b),
    section(0, 1, 0x79),
  );

  it("is the same bytes without edits, padded integers and all", () => {
    const padded = moduleOf(0x01, 0x84, 0x80, 0x80, 0x80, 0x00, 1, 0x60, 0, 0);
    for (const bytes of [original, padded, moduleOf()]) {
      expect([...writeModule(read(bytes))]).toEqual([...bytes]);
    }
  });

  it("has new sections in their place, others replaced, custom ones dropped", () => {
    const edits = {
      replace: new Map([
        [SECTION.global, Uint8Array.of(0)],
        [SECTION.type, Uint8Array.of(2, 0x60, 0, 0, 0x60, 0, 0)],
        [SECTION.data, Uint8Array.of(0)],
        [SECTION.memory, Uint8Array.of(0)],
      ]),
      drop: ({ start }: { readonly start: number }) => original[start + 1] === 0x79,
    };
    const bytes = writeModule(read(original), edits);
    expect(WebAssembly.validate(bytes)).toBe(true);
    expect(read(bytes).sections.map(({ id }) => id)).toEqual([0, 1, 3, 5, 6, 10, 11]);
    expect(read(bytes).types.length).toBe(2);
  });
});

describe("a writer", () => {
  it("fills a hole with the length behind it, in five bytes", () => {
    const writer = new ByteWriter(1);
    writer.byte(10);
    const hole = writer.hole();
    writer.raw(new Uint8Array(300));
    writer.fill(hole);
    expect([...writer.finish().subarray(0, 6)]).toEqual([10, 0xac, 0x82, 0x80, 0x80, 0x00]);
    const other = new ByteWriter();
    other.append(writer);
    expect(other.length).toBe(306);
  });
});
