import { readFileSync } from "node:fs";

import { SIGNER_ERRORS, SignerError } from "@glovebox/signer";
import { expect, test } from "vitest";

test("every code has a heading in docs/errors/signer.md, and no other has", () => {
  const page = readFileSync(new URL("../../../docs/errors/signer.md", import.meta.url), "utf8");
  const headings = [...page.matchAll(/^## (\w+)$/gm)].map((match) => match[1] ?? "");
  expect(new Set(headings)).toEqual(new Set(Object.keys(SIGNER_ERRORS)));
  expect(headings).toHaveLength(Object.keys(SIGNER_ERRORS).length);
});

test("an error is recognised by its brand and says nothing of values in public", () => {
  const error = new SignerError("SIGNER_KEY", { message: "the key of Example Ltd is weak" });
  expect(error).toBeInstanceOf(SignerError);
  expect(error.publicMessage).toBe("A key cannot be used for signatures.");
});
