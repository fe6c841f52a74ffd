import { readFileSync } from "node:fs";

import { CHECK_FAILED } from "@glovebox/core/decision";
import { CORE_ERRORS } from "@glovebox/core/errors";
import { expect, it } from "vitest";

it("documents exactly the codes of the table in docs/errors/core.md", () => {
  const page = readFileSync(new URL("../../../../docs/errors/core.md", import.meta.url), "utf8");
  const headings = Array.from(page.matchAll(/^## (\S+)$/gm), (match) => match[1]);
  expect(headings).toEqual(Object.keys(CORE_ERRORS).sort());
});

it("lists the code that failClosed answers", () => {
  expect(CORE_ERRORS).toHaveProperty(CHECK_FAILED);
});
