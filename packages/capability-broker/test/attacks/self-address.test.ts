import { fakeClock } from "@glovebox/testkit";
import { expect, test } from "vitest";

import { createLab, send } from "../lab.ts";

// CWE-918: the host's own public address, and ranges that the policy denies, whatever was granted.
const network = {
  allowHttpOutbound: true,
  allowedHosts: ["*.trusted.com", "8.8.8.8", "10.1.2.3"],
  privateCidrs: ["10.1.2.0/24"],
};

test.each([
  ["the host's own IPv4 address", "8.8.4.4", ["8.8.4.4"], []],
  ["the host's own IPv6 address", "2606:4700::1111", ["2606:4700:0:0::1111"], []],
  ["the host's own private address, though granted", "10.1.2.3", ["10.1.2.3"], []],
  ["a denied range", "8.8.4.4", [], ["8.8.4.0/24"]],
  ["a denied range inside a granted private one", "10.1.2.3", [], ["10.1.2.3/32"]],
] as const)("%s is not dialled", async (_name, address, own, denyCidrs) => {
  await using lab = createLab({
    policy: { network, denyCidrs },
    dns: { "*": [[address]] },
    deps: { localAddresses: () => own },
  });
  const sent = await send(lab.broker.http(lab.grant()), "https://a.trusted.com/");
  expect(sent.code).toBe("BROKER_ADDRESS_DENIED");
  expect(lab.dials).toEqual([]);
});

test("an address that the host gets later is refused from then on", async () => {
  const clock = fakeClock();
  const own: string[] = [];
  await using lab = createLab({
    policy: { network },
    dns: { "*": [["8.8.4.4"]] },
    deps: {
      clock,
      localAddresses: () => [...own],
      dial: () => Promise.reject(new Error("nobody there")),
    },
  });
  const port = lab.broker.http(lab.grant());
  clock.advance(5_000);
  expect((await send(port, "https://a.trusted.com/")).code).toBe("BROKER_CONNECT");
  own.push("8.8.4.4");
  clock.advance(1_000);
  expect((await send(port, "https://a.trusted.com/")).code).toBe("BROKER_ADDRESS_DENIED");
});
