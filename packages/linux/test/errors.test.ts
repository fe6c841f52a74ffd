import { readFileSync } from "node:fs";

import { LINUX_ERRORS, LinuxError } from "@glovebox/linux";
import { expect, test } from "vitest";

test("the error page has one heading for each code of the table", () => {
  const page = readFileSync(new URL("../../../docs/errors/linux.md", import.meta.url), "utf8");
  const anchors = Array.from(page.matchAll(/^## (\S+)$/gm), ([, code = ""]) => code);
  expect(anchors.sort()).toEqual(Object.keys(LINUX_ERRORS).sort());
});

test("an error is recognised by its brand and carries its code", () => {
  const error = new LinuxError("LINUX_CALL_FAILED");
  expect(error).toBeInstanceOf(LinuxError);
  expect(error.code).toBe("LINUX_CALL_FAILED");
  expect(error.message).toBe(LINUX_ERRORS.LINUX_CALL_FAILED.summary);
});
