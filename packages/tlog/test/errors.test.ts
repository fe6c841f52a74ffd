import { readFileSync } from "node:fs";

import { TLOG_ERRORS, TlogError } from "@glovebox/tlog/errors";
import { expect, test } from "vitest";

test("the error page has one heading for each code of the table", () => {
  const page = readFileSync(new URL("../../../docs/errors/tlog.md", import.meta.url), "utf8");
  const anchors = Array.from(page.matchAll(/^## (\S+)$/gm), ([, code = ""]) => code);
  expect(anchors.sort()).toEqual(Object.keys(TLOG_ERRORS).sort());
});

test("an error is recognised by its brand and carries its code", () => {
  const error = new TlogError("TLOG_OPTION");
  expect(error).toBeInstanceOf(TlogError);
  expect(error.code).toBe("TLOG_OPTION");
  expect(error.message).toBe(TLOG_ERRORS.TLOG_OPTION.summary);
});
