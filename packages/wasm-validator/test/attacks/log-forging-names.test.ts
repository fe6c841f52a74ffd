/** @module CWE-117 and CWE-1007: names that would forge a line or reorder what an operator reads. */
import { createWasmValidator, inspectModule } from "@glovebox/wasm-validator";
import { expect, it } from "vitest";

import { unreachableEngine } from "../engine.ts";
import { importsOf, moduleOf, name, section } from "../module-bytes.ts";

it.each(["\n", "\u0000", "\u001b[2K", "\u007f", "\u009b", "\u2028", "\u202e", "\u2066", "\ufeff"])(
  "refuses an import, an export and a section named with %j, and repeats it nowhere",
  async (character) => {
    for (const bytes of [
      moduleOf(importsOf(["env", `a${character}b`])),
      moduleOf(importsOf([`env${character}`, "a"])),
      moduleOf(section(7, 1, name(character), 0, 0)),
      moduleOf(section(0, name(character))),
    ]) {
      const decision = await createWasmValidator({ allowedImportPatterns: ["**.**"] }).validate(
        bytes,
        unreachableEngine,
      );
      expect(decision).toMatchObject({ allowed: false, code: "WASM_NAME" });
      expect(JSON.stringify(decision) + JSON.stringify(inspectModule(bytes))).not.toContain(
        character,
      );
    }
  },
);
