/** @module Lengths, counts and integers that lie (CWE-130, CWE-190, CWE-770, CWE-789). */
import { createWasmValidator, inspectModule } from "@glovebox/wasm-validator";
import { describe, expect, it } from "vitest";

import { localEngine, unreachableEngine } from "../engine.ts";
import { importsOf, moduleOf, name, ONE_TYPE, section, u32 } from "../module-bytes.ts";

const FOUR_GIB = [0xff, 0xff, 0xff, 0xff, 0x0f];

describe("a module whose numbers lie is refused with the byte offset, before any engine sees it", () => {
  it.each<[string, Uint8Array, string, number]>([
    ["a section longer than the file", moduleOf(1, 5, 0), "WASM_SECTION", 11],
    ["a section of 4 GiB", moduleOf(10, FOUR_GIB), "WASM_SECTION", 14],
    ["a section without a length", moduleOf(1), "WASM_SECTION", 9],
    ["a length cut short", moduleOf(1, 0x80), "WASM_SECTION", 10],
    ["a length in six bytes", moduleOf(1, 0x80, 0x80, 0x80, 0x80, 0x80, 0), "WASM_INTEGER", 9],
    ["a length beyond 32 bits", moduleOf(1, 0xff, 0xff, 0xff, 0xff, 0x1f), "WASM_INTEGER", 9],
    [
      "a length with the sign bits set",
      moduleOf(1, 0xff, 0xff, 0xff, 0xff, 0x7f),
      "WASM_INTEGER",
      9,
    ],
    ["an unknown section", moduleOf(section(14)), "WASM_SECTION", 8],
    ["a section twice", moduleOf(ONE_TYPE, ONE_TYPE), "WASM_SECTION", 14],
    ["sections out of order", moduleOf(section(7, 0), ONE_TYPE), "WASM_SECTION", 11],
    ["the data count after the code", moduleOf(section(10, 0), section(12, 0)), "WASM_SECTION", 11],
    ["4 G imports", moduleOf(section(2, FOUR_GIB)), "WASM_COUNT", 10],
    ["4 G exports", moduleOf(section(7, FOUR_GIB)), "WASM_COUNT", 10],
    [
      "an import more than there is",
      moduleOf(section(2, 2, name("a"), name("b"), 0, 0)),
      "WASM_COUNT",
      10,
    ],
    ["an import cut short", moduleOf(section(2, 1, name("a"), 2, 0x62)), "WASM_SECTION", 14],
    [
      "bytes after the last import",
      moduleOf(section(2, 1, name("a"), name("b"), 0, 0, 0)),
      "WASM_SECTION",
      17,
    ],
    ["a name of 4 GiB", moduleOf(section(7, 1, FOUR_GIB, 0, 0)), "WASM_SECTION", 16],
    [
      "a name that ends in the next section",
      moduleOf(section(0, 9, 0x61), section(0, name("bcdefghij"))),
      "WASM_SECTION",
      11,
    ],
    ["a name that is not UTF-8", moduleOf(section(7, 1, 2, 0xc0, 0xaf, 0, 0)), "WASM_NAME", 12],
    ["a surrogate in a name", moduleOf(section(7, 1, 3, 0xed, 0xa0, 0x80, 0, 0)), "WASM_NAME", 12],
    [
      "a name of 5,000 bytes",
      moduleOf(section(7, 1, name("x".repeat(5000)), 0, 0)),
      "WASM_NAME",
      12,
    ],
    ["an unknown external kind", moduleOf(section(7, 1, name("x"), 9, 0)), "WASM_TYPE", 13],
    [
      "an unknown value type",
      moduleOf(section(2, 1, name("a"), name("b"), 3, 0x40, 0)),
      "WASM_TYPE",
      16,
    ],
    ["unknown limits", moduleOf(section(2, 1, name("a"), name("b"), 2, 8, 0)), "WASM_TYPE", 16],
    [
      "a limit without end",
      moduleOf(
        section(
          2,
          1,
          name("a"),
          name("b"),
          2,
          0,
          Array.from({ length: 11 }, () => 0x80),
        ),
      ),
      "WASM_INTEGER",
      17,
    ],
  ])("%s", async (_, bytes, code, offset) => {
    const decision = await createWasmValidator({ allowedImportPatterns: ["**.**"] }).validate(
      bytes,
      unreachableEngine,
    );
    expect(decision).toMatchObject({ allowed: false, code, rule: "wasm.structure" });
    expect(inspectModule(bytes).defect).toMatchObject({ code, offset });
  });

  it("counts sections, imports and exports, however small each is", () => {
    const sections = moduleOf(Array.from({ length: 5_001 }, () => section(0, 0)).flat());
    expect(inspectModule(sections).defect?.code).toBe("WASM_COUNT");
    const imports = Array.from({ length: 2_001 }, (): [string, string] => ["", ""]);
    expect(inspectModule(moduleOf(importsOf(...imports))).defect?.code).toBe("WASM_COUNT");
    const exports = Array.from({ length: 10_001 }, () => [0, 0, 0]).flat();
    expect(inspectModule(moduleOf(section(7, u32(10_001), exports))).defect?.code).toBe(
      "WASM_COUNT",
    );
  });

  it("takes padding that the specification allows, as the engine does", async () => {
    const padded = moduleOf(0, 0x81, 0x80, 0x80, 0x80, 0x00, 0);
    expect(await createWasmValidator().validate(padded, localEngine)).toMatchObject({
      allowed: true,
    });
  });
});
