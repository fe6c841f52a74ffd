import { readFileSync } from "node:fs";

import { AUDITOR_ERRORS, AuditorError } from "@glovebox/auditor";
import { expect, test } from "vitest";

test("every code has a heading in docs/errors/auditor.md, and no other has", () => {
  const page = readFileSync(new URL("../../../docs/errors/auditor.md", import.meta.url), "utf8");
  const headings = [...page.matchAll(/^## (\w+)$/gm)].map((match) => match[1] ?? "");
  expect(new Set(headings)).toEqual(new Set(Object.keys(AUDITOR_ERRORS)));
  expect(headings).toHaveLength(Object.keys(AUDITOR_ERRORS).length);
});

test("an error is recognised by its brand, and names no path in public", () => {
  const error = new AuditorError("AUDITOR_DIRECTORY", { message: "/var/log/audit is a link" });
  expect(error).toBeInstanceOf(AuditorError);
  expect(error.publicMessage).not.toContain("/var");
});
