import { readFileSync } from "node:fs";

import { METERING_ERRORS } from "@glovebox/wasm-metering";
import { expect, it } from "vitest";

it("has one heading on the error page for each code of the table", () => {
  const page = readFileSync(
    new URL("../../../docs/errors/wasm-metering.md", import.meta.url),
    "utf8",
  );
  const anchors = Array.from(page.matchAll(/^## (\S+)$/gm), ([, code = ""]) => code);
  expect(anchors).toEqual(Object.keys(METERING_ERRORS));
});
