import { readFileSync } from "node:fs";

import { LIMITER_ERRORS, LimiterError } from "@glovebox/limiter";
import { expect, test } from "vitest";

test("the error page has one heading for each code of the table", () => {
  const page = readFileSync(new URL("../../../docs/errors/limiter.md", import.meta.url), "utf8");
  const anchors = Array.from(page.matchAll(/^## (\S+)$/gm), ([, code = ""]) => code);
  expect(anchors.sort()).toEqual(Object.keys(LIMITER_ERRORS).sort());
});

test("an error is recognised by its brand and carries its code", () => {
  const error = new LimiterError("LIMITER_OPTION");
  expect(error).toBeInstanceOf(LimiterError);
  expect(error.code).toBe("LIMITER_OPTION");
  expect(error.message).toBe(LIMITER_ERRORS.LIMITER_OPTION.summary);
});
