import { BlockList, isIPv4 } from "node:net";

import { parseAddress } from "@glovebox/capability-broker/network";
import fc from "fast-check";
import { expect, test } from "vitest";

// CWE-918: text that one parser calls an address and another reads as a different one.
const almost = fc
  .array(
    fc.constantFrom("", "0", "00", "01", "1", "9", "10", "255", "256", "0x1", " 1", "1e1", "²"),
    {
      minLength: 3,
      maxLength: 5,
    },
  )
  .map((parts) => parts.join("."));
const anything = fc.string({ unit: fc.constantFrom(...Array.from("0123459.. x")), maxLength: 18 });

test("an IPv4 address is exactly what node:net calls one, and has its value", () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), almost, anything), (text) => {
      const parsed = parseAddress(text);
      expect(parsed?.family).toBe(isIPv4(text) ? 4 : undefined);
      if (parsed === undefined) return;
      const same = new BlockList();
      same.addAddress([24n, 16n, 8n, 0n].map((at) => (parsed.value >> at) & 255n).join("."));
      expect(same.check(text)).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});
