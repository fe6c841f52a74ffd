import { readFileSync } from "node:fs";

import { WASM_BINARY_ERRORS, WasmBinaryError } from "@glovebox/wasm-binary";
import { expect, it } from "vitest";

it("has one heading on the error page for each code of the table", () => {
  const page = readFileSync(
    new URL("../../../docs/errors/wasm-binary.md", import.meta.url),
    "utf8",
  );
  const anchors = Array.from(page.matchAll(/^## (\S+)$/gm), ([, code = ""]) => code);
  expect(anchors).toEqual(Object.keys(WASM_BINARY_ERRORS));
});

it("is recognised by its brand and carries the offset", () => {
  const error = new WasmBinaryError("WASM_BINARY_END", 7, "the bytes end here");
  expect(error).toBeInstanceOf(WasmBinaryError);
  expect(error).toMatchObject({ offset: 7, details: { offset: 7 } });
  expect(error.message).toBe("the bytes end here (at byte 7)");
});
