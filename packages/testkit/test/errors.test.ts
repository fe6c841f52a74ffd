import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { TESTKIT_ERRORS, TestkitError } from "#errors";

test("the error page has one heading for each code of the table", () => {
  const page = readFileSync(new URL("../../../docs/errors/testkit.md", import.meta.url), "utf8");
  const anchors = Array.from(page.matchAll(/^## (\S+)$/gm), ([, code = ""]) => code);
  expect(anchors.sort()).toEqual(Object.keys(TESTKIT_ERRORS).sort());
});

test("an error carries the summary of its code unless it is told more", () => {
  expect(new TestkitError("TESTKIT_WAT").message).toBe(TESTKIT_ERRORS.TESTKIT_WAT.summary);
  expect(new TestkitError("TESTKIT_WAT", { message: "line 2" }).message).toBe("line 2");
});
