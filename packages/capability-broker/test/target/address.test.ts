import { createBroker } from "@glovebox/capability-broker";
import { isPublicAddress, parseAddress } from "@glovebox/capability-broker/network";
import { recordingDecisionLog } from "@glovebox/testkit";
import "@glovebox/testkit/matchers";
import { describe, expect, test } from "vitest";

import { createLab, send } from "../lab.ts";

const isPublic = (text: string): boolean => {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`no address: ${text}`);
  return isPublicAddress(address);
};

describe("both ends of a range that is not public, and the addresses beside it", () => {
  // Ranges that touch another one are said together with it: the address beside both is asked.
  test.each([
    ["this network", "0.0.0.0", "0.255.255.255", ["1.0.0.0"]],
    ["private, 10/8", "10.0.0.0", "10.255.255.255", ["9.255.255.255", "11.0.0.0"]],
    ["shared", "100.64.0.0", "100.127.255.255", ["100.63.255.255", "100.128.0.0"]],
    ["loopback", "127.0.0.0", "127.255.255.255", ["126.255.255.255", "128.0.0.0"]],
    ["link-local", "169.254.0.0", "169.254.255.255", ["169.253.255.255", "169.255.0.0"]],
    ["private, 172.16/12", "172.16.0.0", "172.31.255.255", ["172.15.255.255", "172.32.0.0"]],
    ["protocol assignments", "192.0.0.0", "192.0.0.255", ["191.255.255.255", "192.0.1.0"]],
    ["documentation 1", "192.0.2.0", "192.0.2.255", ["192.0.1.255", "192.0.3.0"]],
    ["6to4 relays", "192.88.99.0", "192.88.99.255", ["192.88.98.255", "192.88.100.0"]],
    ["private, 192.168/16", "192.168.0.0", "192.168.255.255", ["192.167.255.255", "192.169.0.0"]],
    ["benchmarks", "198.18.0.0", "198.19.255.255", ["198.17.255.255", "198.20.0.0"]],
    ["documentation 2", "198.51.100.0", "198.51.100.255", ["198.51.99.255", "198.51.101.0"]],
    ["documentation 3", "203.0.113.0", "203.0.113.255", ["203.0.112.255", "203.0.114.0"]],
    ["multicast", "224.0.0.0", "239.255.255.255", ["223.255.255.255"]],
    ["reserved and broadcast", "240.0.0.0", "255.255.255.255", []],
    ["Azure's platform", "168.63.129.16", "168.63.129.16", ["168.63.129.15", "168.63.129.17"]],
    ["below global unicast", "::", "1fff:ffff::", ["2000::"]],
    ["above global unicast", "4000::", "ffff:ffff::", ["3ffe:ffff::"]],
    ["IETF protocols", "2001::", "2001:1ff:ffff::", ["2000:ffff::", "2001:200::"]],
    ["IPv6 documentation", "2001:db8::", "2001:db8:ffff::", ["2001:db7:ffff::", "2001:db9::"]],
    ["6to4", "2002::", "2002:ffff::", ["2001:ffff::", "2003::"]],
    ["IPv6 documentation 2", "3fff::", "3fff:fff:ffff::", ["3ffe:ffff::", "3fff:1000::"]],
  ])("%s", (_name, first, last, beside) => {
    expect([isPublic(first), isPublic(last)]).toEqual([false, false]);
    expect(beside.filter((text) => !isPublic(text))).toEqual([]);
  });

  test.each([
    ["2001:1::1", "2001:1::1", ["2001:1::"]],
    ["2001:1::2", "2001:1::3", ["2001:1::4"]],
    ["2001:3::", "2001:3:ffff::", ["2001:2:ffff::", "2001:4::"]],
    ["2001:4:112::", "2001:4:112:ffff::", ["2001:4:111:ffff::", "2001:4:113::"]],
    ["2001:20::", "2001:2f:ffff::", ["2001:1f:ffff::"]],
    ["2001:30::", "2001:3f:ffff::", ["2001:40::"]],
  ])("%s to %s is reachable inside 2001::/23", (first, last, beside) => {
    expect([isPublic(first), isPublic(last)]).toEqual([true, true]);
    expect(beside.filter(isPublic)).toEqual([]);
  });
});

test.each([
  "256.1.1.1",
  "1.1.1.999",
  "1.1.1",
  "1.1.1.1.1",
  "1:2:3:4:5:6:7::8",
  "1:2:3:4:5:6:7:8::",
  "::1:2:3:4:5:6:7:8",
  "1:2:3:4:5:6:7:8::1::1",
  "1.2.3.4:1::",
  "::1.2.3.4:1",
  "::ffff:1.2.3.256",
])("%s is no address", (text) => {
  expect(parseAddress(text)).toBeUndefined();
});

test.each(["10.0.0.0/33", "fd00::/129", "10.0.0.1/8", "10.0.0.0", "10.0.0.0/08", "10.0.0.0/-1"])(
  "a policy with the range %s does not start",
  (range) => {
    const log = recordingDecisionLog();
    expect(() => createBroker({ log, policy: { denyCidrs: [range] } })).toThrowCode(
      "BROKER_POLICY",
    );
  },
);

// The value of an IPv4 address is also that of an IPv6 one.
test.each([
  ["denied", { denyCidrs: ["0.0.0.0/0"] }, "2606:4700::1111", "BROKER_CONNECT"],
  ["denied", { denyCidrs: ["::/0"] }, "8.8.8.8", "BROKER_CONNECT"],
  ["opened", { privateCidrs: ["::a00:1/128"] }, "10.0.0.1", "BROKER_ADDRESS_DENIED"],
  ["the host's own", { own: ["::808:808"] }, "8.8.8.8", "BROKER_CONNECT"],
])("a range of one family says nothing of the other: %s %j", async (_what, said, address, code) => {
  const { denyCidrs = [], privateCidrs = [], own = [] } = said as Record<string, string[]>;
  const network = { allowHttpOutbound: true, allowedHosts: ["api.example.com"], privateCidrs };
  await using lab = createLab({
    policy: { network, denyCidrs },
    dns: { "*": [[address]] },
    deps: {
      localAddresses: () => own,
      dial: () => Promise.reject(new Error("nobody there")),
    },
  });
  const sent = await send(lab.broker.http(lab.grant()), "https://api.example.com/");
  expect(sent.code).toBe(code);
});
