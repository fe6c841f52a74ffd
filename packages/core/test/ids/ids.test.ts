import {
  newCallId,
  newGrantId,
  parsePluginId,
  parseSha256,
  parseTenantId,
} from "@glovebox/core/ids";
import fc from "fast-check";
import { expect, it } from "vitest";

it("accepts ids in their documented form", () => {
  expect(parsePluginId("rate-table-2")).toMatchObject({ allowed: true, value: "rate-table-2" });
  expect(parsePluginId("a".repeat(64))).toMatchObject({ allowed: true });
  expect(parseTenantId("Acme:42")).toMatchObject({ allowed: true });
  expect(parseSha256("0f".repeat(32))).toMatchObject({ allowed: true });
});

it.each([["", "Rate", "a/b", "../a", "a\n", "ä", "a".repeat(65), 7, null, undefined, ["a"]]])(
  "refuses %j and its like as a plugin id",
  (...raws) => {
    for (const raw of raws) {
      expect(parsePluginId(raw)).toMatchObject({ allowed: false, code: "CORE_PLUGIN_ID" });
    }
  },
);

it("refuses malformed tenants and digests", () => {
  for (const raw of ["", "a b", "a\u0000", "é", "t".repeat(129), {}]) {
    expect(parseTenantId(raw)).toMatchObject({ allowed: false, code: "CORE_TENANT_ID" });
  }
  for (const raw of ["", "0F".repeat(32), "0f".repeat(31), `${"0f".repeat(32)}\n`, 1]) {
    expect(parseSha256(raw)).toMatchObject({ allowed: false, code: "CORE_SHA256" });
  }
});

it("never throws, whatever the raw value is", () => {
  fc.assert(
    fc.property(fc.anything(), (raw) => {
      for (const parse of [parsePluginId, parseTenantId, parseSha256]) {
        expect(typeof parse(raw).allowed).toBe("boolean");
      }
    }),
  );
});

it("makes a new id each time", () => {
  expect(newCallId()).toMatch(/^[0-9a-f-]{36}$/);
  expect(newCallId()).not.toBe(newCallId());
  expect(newGrantId()).not.toBe(newGrantId());
});
