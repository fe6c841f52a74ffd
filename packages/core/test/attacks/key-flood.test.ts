/** Attack: a key for each request (CWE-770), so that a table of keys grows or slows without bound. */
import { BoundedMap } from "@glovebox/core/flow";
import { expect, it } from "vitest";

it("holds no more entries than its capacity after 200,000 invented keys", () => {
  const map = new BoundedMap<string, number>({ capacity: 1_000 });
  map.set("victim", 1);
  for (let key = 0; key < 200_000; key++) {
    map.set(`key-${key}`, key);
    // Used all the time, so the flood must not push it out.
    if (key % 500 === 0) map.get("victim");
  }
  expect(map.size).toBe(1_000);
  expect(map.get("victim")).toBe(1);
});
