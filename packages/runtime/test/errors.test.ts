import { readFileSync } from "node:fs";

import { SEVERITIES } from "@glovebox/monitor";
import { RUNTIME_ERRORS, RuntimeError } from "@glovebox/runtime";
import { SANDBOX_ERRORS } from "@glovebox/sandbox";
import { expect, test } from "vitest";

test("the error page has one heading for each code of the table", () => {
  const page = readFileSync(new URL("../../../docs/errors/runtime.md", import.meta.url), "utf8");
  const anchors = Array.from(page.matchAll(/^## (\S+)$/gm), ([, code = ""]) => code);
  expect(anchors.sort()).toEqual(Object.keys(RUNTIME_ERRORS).sort());
});

test("an error is recognised by its brand and carries its code", () => {
  const error = new RuntimeError("RUNTIME_OPTIONS");
  expect(error).toBeInstanceOf(RuntimeError);
  expect(error.message).toBe(RUNTIME_ERRORS.RUNTIME_OPTIONS.summary);
});

test("the monitor knows how heavily each code of the sandbox weighs", () => {
  expect(Object.keys(SEVERITIES)).toEqual(expect.arrayContaining(Object.keys(SANDBOX_ERRORS)));
});
