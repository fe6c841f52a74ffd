import type { CapabilityRequest } from "@glovebox/capability-broker";
import { fakeClock } from "@glovebox/testkit";
import { startHttpServer } from "@glovebox/testkit/servers";
import { expect, test } from "vitest";

import { createLab, send } from "../lab.ts";

// CWE-918, CWE-441: a range that was opened for one named host is no part of "every public host".
const policy = {
  network: {
    allowHttpOutbound: true,
    allowedHosts: ["db.trusted.com:8443", "*.corp.example.com", "10.1.2.3"],
    anyPublicHost: true,
    allowInsecureHttp: true,
    privateCidrs: ["10.1.2.0/24", "fd00:1::/32"],
  },
};
const asking = (...allowedHosts: string[]): CapabilityRequest => ({
  network: { allowHttpOutbound: true, allowedHosts, anyPublicHost: true, allowInsecureHttp: true },
});
const everything = asking("db.trusted.com:8443", "*.corp.example.com", "10.1.2.3");

async function ask(url: string, address: string, request: CapabilityRequest = everything) {
  await using lab = createLab({
    policy,
    dns: { "*": [[address]] },
    deps: { clock: fakeClock(), dial: () => Promise.reject(new Error("nobody there")) },
  });
  return (await send(lab.broker.http(lab.grant(request)), url)).code;
}

test.each([
  ["a literal that nobody named", "https://10.1.2.4/", "10.1.2.4"],
  ["an IPv6 literal that nobody named", "https://[fd00:1::7]/", "fd00:1::7"],
  ["a name that the attacker's zone answers", "https://evil.com/", "10.1.2.4"],
  ["a name that the attacker's zone answers with IPv6", "https://evil.com/", "fd00:1::7"],
  ["a named host at another port", "https://db.trusted.com/", "10.1.2.4"],
  ["a named host by another scheme", "http://db.trusted.com/", "10.1.2.4"],
  ["the apex of a wildcard", "https://corp.example.com/", "10.1.2.4"],
  ["a named host at an address outside the ranges", "https://a.corp.example.com/", "10.1.3.4"],
])("a range opened for named hosts is not reached by %s", async (_name, url, address) => {
  expect(await ask(url, address)).toBe("BROKER_ADDRESS_DENIED");
});

test("a manifest cannot name a host for the policy", async () => {
  for (const request of [asking("evil.com"), asking("*.evil.com"), asking("10.1.2.4")]) {
    const host = request.network?.allowedHosts[0]?.replace("*", "x") ?? "";
    expect(await ask(`https://${host}/`, "10.1.2.4", request)).toBe("BROKER_ADDRESS_DENIED");
  }
});

test.each([
  ["a named host", "https://db.trusted.com:8443/", "10.1.2.4"],
  ["a host below a named wildcard", "https://a.corp.example.com/", "fd00:1::7"],
  ["a named address", "https://10.1.2.3/", "10.1.2.3"],
  ["every other host at its public address", "https://evil.com/", "93.184.215.14"],
])("%s is reached", async (_name, url, address) => {
  expect(await ask(url, address)).toBe("BROKER_CONNECT");
});

test("what is attenuated from such a grant reaches no more", async () => {
  await using lab = createLab({ policy, dns: { "*": [["10.1.2.4"]] } });
  const child = lab.broker.attenuate(lab.grant(everything), asking("evil.com"));
  if (!child.allowed) throw new Error(child.reason);
  const sent = await send(lab.broker.http(child.value), "https://evil.com/");
  expect([sent.code, lab.dials]).toEqual(["BROKER_ADDRESS_DENIED", []]);
});

test.each([
  ["a name that the attacker's zone answers", "http://evil.com/", "BROKER_ADDRESS_DENIED"],
  ["that name without a scheme", "//evil.com/", "BROKER_ADDRESS_DENIED"],
  ["a name below it", "http://sub.db.trusted.com/", "BROKER_ADDRESS_DENIED"],
  ["a literal", "http://10.1.2.3/", "BROKER_ADDRESS_DENIED"],
  ["a mapped literal", "http://[::ffff:10.1.2.3]/", "BROKER_ADDRESS_DENIED"],
  ["its own spelling with a dot", "http://DB.trusted.com./", "BROKER_HOST_NAME"],
])("a named host does not lend its range to %s that it redirects to", async (_name, to, code) => {
  await using server = await startHttpServer((_request, response) => {
    response.writeHead(302, { location: to });
    response.end();
  });
  const asked = asking("db.trusted.com");
  await using lab = createLab({
    policy: { network: { ...policy.network, allowedHosts: ["db.trusted.com"] } },
    dns: { "*": [["10.1.2.3"], ["10.1.2.3"]] },
    port: server.port,
  });
  const grant = lab.grant(asked);
  const sent = await send(lab.broker.http(grant), "http://db.trusted.com/");
  expect([sent.code, lab.dials.length]).toEqual([code, 1]);
});
