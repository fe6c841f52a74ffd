import { readFileSync } from "node:fs";

import {
  MANIFEST_ERRORS,
  ManifestError,
  parseManifest,
  resolveDependencies,
} from "@glovebox/manifest-validator";
import { expect, it } from "vitest";

it("has one heading on the error page for each code of the table", () => {
  const page = readFileSync(
    new URL("../../../docs/errors/manifest-validator.md", import.meta.url),
    "utf8",
  );
  const anchors = Array.from(page.matchAll(/^## (\S+)$/gm), ([, code = ""]) => code);
  expect(anchors).toEqual(Object.keys(MANIFEST_ERRORS));
});

it("throws only for misuse, with a coded error that survives two copies of the package", () => {
  const misuse = (): unknown => parseManifest(42 as unknown as string);
  expect(misuse).toThrow(ManifestError);
  expect(misuse).toThrow(expect.objectContaining({ code: "MANIFEST_USAGE" }));
  expect(() => resolveDependencies({} as never)).toThrow(
    expect.objectContaining({ code: "MANIFEST_USAGE" }),
  );
  const brand = Symbol.for("@glovebox/manifest-validator/ManifestError");
  expect({ [brand]: true }).toBeInstanceOf(ManifestError);
});
