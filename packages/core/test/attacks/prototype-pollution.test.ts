/** Attack: a member named `__proto__` gives every object a property (CWE-1321). */
import { parseBoundedJson } from "@glovebox/core/json";
import { expect, it } from "vitest";

it.each([
  '{"__proto__":{"isAdmin":true}}',
  '[{"a":{"__proto__":{"isAdmin":true}}}]',
  String.raw`{"\u005f_proto__":{"isAdmin":true}}`,
])("refuses %s, and no object becomes an administrator", (text) => {
  const decision = parseBoundedJson(text);
  expect(decision).toMatchObject({ allowed: false, code: "JSON_PROTO_KEY" });
  expect({}).not.toHaveProperty("isAdmin");
});

it("keeps `constructor` a member of its own", () => {
  const decision = parseBoundedJson('{"constructor":{"prototype":{"isAdmin":true}}}');
  const value = decision.allowed ? decision.value : null;
  expect(Object.keys(Object.assign({}, value))).toEqual(["constructor"]);
  expect(Object.prototype).not.toHaveProperty("isAdmin");
});
