import { readFileSync } from "node:fs";

import { BROKER_ERRORS, BrokerError } from "@glovebox/capability-broker";
import { expect, test } from "vitest";

test("the error page has one heading for each code of the table", () => {
  const page = readFileSync(
    new URL("../../../docs/errors/capability-broker.md", import.meta.url),
    "utf8",
  );
  const anchors = Array.from(page.matchAll(/^## (\S+)$/gm), ([, code = ""]) => code);
  expect(anchors.sort()).toEqual(Object.keys(BROKER_ERRORS).sort());
});

test("an error is recognised by its brand and carries its code", () => {
  const error = new BrokerError("BROKER_REVOKED");
  expect(error).toBeInstanceOf(BrokerError);
  expect(error.code).toBe("BROKER_REVOKED");
  expect(error.publicMessage).toBe(BROKER_ERRORS.BROKER_REVOKED.summary);
});
