import { effectiveGrant } from "@glovebox/capability-broker";
import { decideUrl } from "@glovebox/capability-broker/network";
import { expect, test } from "vitest";

import { codeOf, valueOf } from "../lab.ts";

// The first specification's check was `host.ends_with(domain) && host != domain`.
const network = { allowHttpOutbound: true, allowedHosts: ["*.trusted.com", "api.example.com"] };
const grant = valueOf(effectiveGrant({ network }, { network })).network;

test.each([
  "eviltrusted.com",
  "trusted.com",
  "trusted.com.evil.com",
  "a.trusted.com.evil.com",
  "api.example.co",
  "api.example.com.evil.com",
  "evilapi.example.com",
  "x.api.example.com",
  "api-example.com",
  "com",
])("%s is under no granted pattern", (host) => {
  if (grant === undefined) throw new Error("no grant");
  expect(codeOf(decideUrl(grant, `https://${host}/`, "GET"))).toMatch(/^BROKER_HOST_/);
});

test.each(["a.trusted.com", "b.a.trusted.com", "API.example.COM"])("%s is granted", (host) => {
  if (grant === undefined) throw new Error("no grant");
  expect(codeOf(decideUrl(grant, `https://${host}/`, "GET"))).toBe("allowed");
});
