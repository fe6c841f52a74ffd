import { readFileSync } from "node:fs";

import { HOST_ERRORS, HostError } from "@glovebox/host";
import { expect, test } from "vitest";

test("the error page has one heading for each code of the table", () => {
  const page = readFileSync(new URL("../../../docs/errors/host.md", import.meta.url), "utf8");
  const anchors = Array.from(page.matchAll(/^## (\S+)$/gm), ([, code = ""]) => code);
  expect(anchors.sort()).toEqual(Object.keys(HOST_ERRORS).sort());
});

test("an error is recognised by its brand and carries its code", () => {
  const error = new HostError("HOST_LISTEN");
  expect(error).toBeInstanceOf(HostError);
  expect(error.code).toBe("HOST_LISTEN");
});
