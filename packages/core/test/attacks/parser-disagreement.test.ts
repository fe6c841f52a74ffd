/** Attack: one text that two readers understand differently (CWE-436), so that the checked is not the used. */
import { parseBoundedJson } from "@glovebox/core/json";
import { expect, it } from "vitest";

it.each([
  ["last key wins here, first elsewhere", '{"role":"guest","role":"admin"}'],
  ["rounded here, exact elsewhere", '{"amount":9007199254740993}'],
  ["infinite here, an error elsewhere", '{"limit":1e999}'],
  ["half a pair, repaired by some", String.raw`{"path":"a\ud800"}`],
  ["a mark that some skip", '\ufeff{"a":1}'],
])("refuses what is %s", (_, text) => {
  expect(parseBoundedJson(text)).toMatchObject({ allowed: false });
});

it("does not make one text of two different inputs by repairing bytes", () => {
  for (const byte of [0x80, 0xff]) {
    expect(parseBoundedJson(Uint8Array.of(0x22, byte, 0x22))).toMatchObject({ code: "JSON_UTF8" });
  }
});
