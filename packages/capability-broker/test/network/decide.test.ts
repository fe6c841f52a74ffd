import { BlockList, isIPv6 } from "node:net";

import { effectiveGrant } from "@glovebox/capability-broker";
import {
  decideUrl,
  isPublicAddress,
  parseAddress,
  parseHostPattern,
} from "@glovebox/capability-broker/network";
import { callScope } from "@glovebox/testkit";
import fc from "fast-check";
import { expect, test } from "vitest";

import { PUBLIC_ADDRESS, codeOf, createLab, valueOf } from "../lab.ts";

const network = { allowHttpOutbound: true, allowedHosts: ["*.trusted.com"] };
const grant = valueOf(effectiveGrant({ network }, { network })).network;
if (grant === undefined) throw new Error("no grant");

test("a target says where a request goes, without the fragment", () => {
  const decided = decideUrl(grant, "HTTPS://A.Trusted.com:443/x/../y?q#f", "post");
  const { scheme, host, port, path, method, href } = valueOf(decided);
  expect({ scheme, host, port, path, method, href }).toEqual({
    scheme: "https",
    host: { kind: "name", name: "a.trusted.com" },
    port: 443,
    path: "/y?q",
    method: "POST",
    href: "https://a.trusted.com/y?q",
  });
});

test("no text reaches a host outside the grant, whatever a URL parser makes of it", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "https:",
      "//",
      "/",
      "\\",
      "@",
      "a.trusted.com",
      "evil.com",
      ".",
      "%2e",
      "#",
      "?",
      ":443",
      "\t",
      "。",
      "[::1]",
      "xn--",
    ),
    fc.string({ maxLength: 4, unit: "grapheme" }),
  );
  const text = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(
      fc.oneof(
        text,
        text.map((rest) => `https://${rest}`),
        fc.anything(),
      ),
      (raw) => {
        const decided = decideUrl(grant, raw, "GET");
        const isUnder =
          !decided.allowed || /^[a-z0-9.-]+\.trusted\.com$/.test(new URL(String(raw)).hostname);
        expect(isUnder).toBe(true);
      },
    ),
    { numRuns: 2_000 },
  );
});

test("an address is read as node:net reads it, or not at all", () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()), (text) => {
      const parsed = parseAddress(text);
      expect(parsed?.family === 6).toBe(isIPv6(text) && !text.includes("%"));
    }),
  );
});

test("a granted host is reached at its own port and scheme alone", () => {
  const endpointOf = (raw: string, granted = grant): string =>
    codeOf(decideUrl(granted, raw, "GET"));
  const anyPublic = { allowHttpOutbound: true, allowedHosts: [], anyPublicHost: true };
  const open = valueOf(effectiveGrant({ network: anyPublic }, { network: anyPublic })).network;
  if (open === undefined) throw new Error("no grant");
  for (const granted of [grant, open]) {
    expect(endpointOf("https://a.trusted.com/", granted)).toBe("allowed");
    expect(endpointOf("https://a.trusted.com:8443/", granted)).toBe("BROKER_PORT_NOT_GRANTED");
    expect(endpointOf("http://a.trusted.com/", granted)).toBe("BROKER_URL_SCHEME");
    expect(endpointOf("http://a.trusted.com:443/", granted)).toBe("BROKER_URL_SCHEME");
  }
  expect(endpointOf("https://8.8.8.8:8443/", open)).toBe("BROKER_PORT_NOT_GRANTED");
});

test("a method is a granted token, and no letter becomes one by upper-casing", () => {
  for (const method of ["po\u017ft", "DELETE", "", "GET\r\n", " GET", "G\u0131T", 7, null])
    expect([method, codeOf(decideUrl(grant, "https://a.trusted.com/", method))]).toEqual([
      method,
      "BROKER_METHOD",
    ]);
});

test("what another grant decided decides nothing here", async () => {
  await using lab = createLab({ policy: { network }, dns: { "*": [[PUBLIC_ADDRESS]] } });
  const [port, other] = [lab.broker.http(lab.grant()), lab.broker.http(lab.grant())];
  const value = valueOf(other.decide("https://a.trusted.com/", "GET"));
  // Once a real one of another grant, once what only looks like one.
  for (const forged of [value, Object.assign(Object.create(null), value) as typeof value]) {
    const decision = { allowed: true, rule: "forged", value: forged } as const;
    expect(codeOf(await port.perform(callScope(), decision))).not.toBe("allowed");
  }
  expect([lab.lookUps, lab.dials]).toEqual([[], []]);
});

test.each([
  "\u212a.trusted.com",
  "a\u00ad.trusted.com",
  "\uff41.trusted.com",
  "a\u3002trusted.com",
  "a.trusted.com.",
])("%j is no spelling of a granted name", (host) => {
  expect(codeOf(decideUrl(grant, `https://${host}/`, "GET"))).toBe("BROKER_HOST_NAME");
});

test("two spellings of one IPv6 address have one value", () => {
  expect(parseAddress("2606:4700:4700:0:0:0:0:1111")).toEqual(parseAddress("2606:4700:4700::1111"));
  expect(parseAddress("::ffff:1.2.3.4")).toEqual(parseAddress("::ffff:102:304"));
  for (const text of [
    "1::2::3",
    "1:2:3",
    "::1.2.3",
    "1.2.3.4::",
    "::1%eth0",
    "12345::",
    "1:2:3:4:5:6:7:8:9",
    "01.2.3.4",
  ]) {
    expect(parseAddress(text)).toBeUndefined();
  }
});

test("no address of a reserved IPv4 block is public", () => {
  const reserved = new BlockList();
  for (const [net, prefix] of [
    ["0.0.0.0", 8],
    ["10.0.0.0", 8],
    ["100.64.0.0", 10],
    ["127.0.0.0", 8],
    ["169.254.0.0", 16],
    ["172.16.0.0", 12],
    ["192.168.0.0", 16],
    ["224.0.0.0", 3],
  ] as const) {
    reserved.addSubnet(net, prefix);
  }
  fc.assert(
    fc.property(fc.ipV4(), (text) => {
      const address = parseAddress(text);
      const isPublic = address !== undefined && isPublicAddress(address);
      expect(isPublic && reserved.check(text)).toBe(false);
    }),
  );
});

test("patterns are read as written, in lower case, with a port or without", () => {
  expect(valueOf(parseHostPattern("*.API.example.com:8443"))).toEqual({
    pattern: { kind: "suffix", host: "api.example.com" },
    port: 8443,
  });
  expect(valueOf(parseHostPattern("[2606:4700:4700:0::1111]"))).toEqual({
    pattern: { kind: "address", host: "[2606:4700:4700::1111]" },
  });
  for (const raw of [
    "*.com",
    "*.1.1.1.1",
    "a.example.com:99999",
    "a.example.com:080",
    "\u212a.example.com",
    7,
    null,
    "xn--zzzzzz--.example",
  ]) {
    expect([raw, codeOf(parseHostPattern(raw))]).toEqual([raw, "BROKER_PATTERN"]);
  }
});
