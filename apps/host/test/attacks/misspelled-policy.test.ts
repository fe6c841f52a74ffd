/**
 * @module A policy whose restriction is spelled wrong: nobody may get more than the operator meant to
 * write, and the operator is told the member's name (CWE-1188).
 */
import { expect, test } from "vitest";

import { parsePolicyText } from "../../src/serve/policy-file.ts";

const parse = (policy: unknown): unknown =>
  parsePolicyText(Buffer.from(JSON.stringify(policy)), "policy.json");
const network = { allowHttpOutbound: true, allowedHosts: ["api.example.com"] };
const root = { guest: "/data", host: "/srv/data", allowRead: true, allowWrite: false };

test.each<[what: string, policy: unknown, told: string]>([
  ["a restriction of paths", { network: { ...network, pathPrefix: ["/v1"] } }, "pathPrefix"],
  ["a manifest's spelling", { network: { allow_http_outbound: true } }, "allow_http_outbound"],
  ["a limit", { network: { ...network, limits: { maxRequestsPerMinutes: 1 } } }, "PerMinutes"],
  ["a secret's methods", { network: { ...network, secrets: [{ method: ["GET"] }] } }, "method"],
  ["a quota of files", { filesystem: { roots: [{ ...root, quotaByte: 1 }] } }, "quotaByte"],
  ["all roots", { filesystem: { root: [root] } }, "root"],
  ["totals", { filesystem: { roots: [root], totals: { openFiles: 1 } } }, "openFiles"],
  ["a maximum", { resources: { maxMemory: 1 } }, "maxMemory"],
  ["denied ranges", { denyCidr: ["192.0.2.0/24"] }, "denyCidr"],
  ["hosts as one text", { network: { ...network, allowedHosts: "a.example" } }, "allowedHosts"],
  ["no hosts", { network: { allowHttpOutbound: true } }, "policy.network.allowedHosts"],
  ["a flag as text", { network: { ...network, allowHttpOutbound: "no" } }, "true or false"],
  ["a part that is null", { network: null }, "policy.network must be an object"],
])("%s", (_what, policy, told) => {
  expect(() => parse(policy)).toThrow(
    expect.objectContaining({ code: "HOST_POLICY", message: expect.stringContaining(told) }),
  );
  expect(() => parse(policy)).toThrow(/^policy\.json: /);
});

test("what is spelled right is what was written", () => {
  const limits = { maxRedirects: 0, minBytesPerSecond: 0 };
  const secrets = [{ name: "a", origin: "https://a.example", header: "b", template: "c" }];
  const policy = {
    network: { ...network, ports: [8443], pathPrefixes: ["/v1"], limits, secrets },
    filesystem: {
      roots: [root, { ...root, guest: "/tmp", host: { temporary: true }, extensions: "*" }],
      totals: { maxOpenFiles: 1 },
    },
    resources: { maxInstructions: 1_000_000 },
    denyCidrs: ["192.0.2.0/24"],
  };
  expect(parse(policy)).toEqual(policy);
  expect(parse({})).toEqual({});
});
