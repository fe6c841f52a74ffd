import { effectiveGrant } from "@glovebox/capability-broker";
import { decideUrl } from "@glovebox/capability-broker/network";
import { expect, test } from "vitest";

import { codeOf, valueOf } from "../lab.ts";

// CWE-328: names made to have the hash of a granted pattern (host-index.ts: 30 bits, no secret).
const network = { allowHttpOutbound: true, allowedHosts: ["*.trusted.com", "api.example.com"] };
const grant = valueOf(effectiveGrant({ network }, { network })).network;

/** The index's own hash; the names below collide under it, or the test shows nothing. */
function hashOf(text: string): number {
  let hash = 0;
  for (let at = text.length - 1; at >= 0; at -= 1)
    hash = (Math.imul(hash, 31) + text.charCodeAt(at)) & 0x3fff_ffff;
  return hash;
}

test.each([
  ["a whole name", "aigbxbk.evil.com", "aigbxbk.evil.com", "api.example.com"],
  [
    "a parent that ends like the granted one",
    "a.alr27m5trusted.com",
    "alr27m5trusted.com",
    "trusted.com",
  ],
])("%s with the hash of a pattern is not granted", (_what, host, collides, pattern) => {
  if (grant === undefined) throw new Error("no grant");
  expect(hashOf(collides)).toBe(hashOf(pattern));
  expect(codeOf(decideUrl(grant, `https://${host}/`, "GET"))).toBe("BROKER_HOST_NOT_GRANTED");
});
