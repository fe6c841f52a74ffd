import { readFileSync } from "node:fs";

import {
  createWasmValidator,
  inspectModule,
  WASM_ERRORS,
  WasmError,
} from "@glovebox/wasm-validator";
import { expect, it } from "vitest";

import { localEngine } from "./engine.ts";
import { moduleOf } from "./module-bytes.ts";

it("has one heading on the error page for each code of the table", () => {
  const page = readFileSync(
    new URL("../../../docs/errors/wasm-validator.md", import.meta.url),
    "utf8",
  );
  const anchors = Array.from(page.matchAll(/^## (\S+)$/gm), ([, code = ""]) => code);
  expect(anchors).toEqual(Object.keys(WASM_ERRORS));
});

it.each([
  { maxModuleBytes: 0 },
  { maxModuleBytes: 1.5 },
  { maxModuleBytes: Number.NaN },
  { maxModuleBytes: 2 ** 31 },
  { allowedImportPatterns: ["env"] },
  { allowedImportPatterns: ["*"] },
  { allowedImportPatterns: ["**"] },
  { allowedImportPatterns: [".name"] },
  { allowedImportPatterns: ["env."] },
  { allowedImportPatterns: [""] },
  { allowedImportPatterns: [7 as unknown as string] },
  { allowedImportPatterns: "env.*" as unknown as string[] },
  { allowedImportPatterns: [`${"x".repeat(600)}.y`] },
  { allowedImportPatterns: ["e.{a,b,c,d,e,f,g,h}{a,b,c,d,e,f,g,h}{a,b,c,d,e,f,g,h}{a,b,c}"] },
])("refuses the policy %j when the validator is made", (policy) => {
  expect(() => createWasmValidator(policy)).toThrow(
    expect.objectContaining({ code: "WASM_POLICY" }),
  );
});

it("throws a coded error for misuse, recognised by its brand", async () => {
  expect(() => inspectModule("x" as never)).toThrow(WasmError);
  await expect(createWasmValidator().validate([] as never, localEngine)).rejects.toThrow(
    expect.objectContaining({ code: "WASM_USAGE" }),
  );
  await expect(createWasmValidator().validate(moduleOf(), {} as never)).rejects.toThrow(
    expect.objectContaining({ code: "WASM_USAGE" }),
  );
});
