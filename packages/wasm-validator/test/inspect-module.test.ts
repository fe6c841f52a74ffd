import { assembleWat } from "@glovebox/testkit";
import { inspectModule } from "@glovebox/wasm-validator";
import { describe, expect, it } from "vitest";

import { moduleOf, name, section } from "./module-bytes.ts";

describe("inspectModule", () => {
  it("lists sections with places and sizes, imports and exports, without an engine", async () => {
    const bytes = await assembleWat(
      `(module (import "env" "f" (func)) (memory (export "memory") 1))`,
    );
    expect(inspectModule(bytes)).toMatchObject({
      magicOk: true,
      version: 1,
      size: bytes.length,
      sections: [
        { id: 1, name: "type", offset: 10, size: 4 },
        { id: 2, name: "import", offset: 16, size: 9 },
        { id: 5, name: "memory", offset: 27, size: 3 },
        { id: 7, name: "export", offset: 32, size: 10 },
      ],
      imports: [{ module: "env", name: "f", kind: "function", type: "(func)" }],
      exports: [{ name: "memory", kind: "memory", type: "(memory 1)" }],
    });
  });

  it("names custom sections by their own name", () => {
    const bytes = moduleOf(section(0, name("producers"), 0), section(0, name("name")));
    expect(inspectModule(bytes).sections.map(({ name: own }) => own)).toEqual([
      "producers",
      "name",
    ]);
  });

  it("reports as far as it could read, and where it stopped", () => {
    expect(inspectModule(new Uint8Array(3))).toMatchObject({
      magicOk: false,
      size: 3,
      defect: { code: "WASM_MAGIC", offset: 1 },
    });
    const script = inspectModule(new TextEncoder().encode("#!/bin/sh\n"));
    expect(script).toMatchObject({ magicOk: false, defect: { code: "WASM_MAGIC" } });
    expect(script).not.toHaveProperty("version");
    expect(inspectModule(moduleOf(section(5, 1, 0, 1), 99, 0))).toMatchObject({
      sections: [{ name: "memory" }],
      defect: { code: "WASM_SECTION", offset: 13 },
    });
  });
});
