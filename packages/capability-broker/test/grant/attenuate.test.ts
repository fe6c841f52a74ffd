import type { CapabilityRequest } from "@glovebox/capability-broker";
import { decideUrl } from "@glovebox/capability-broker/network";
import { callScope, fakeClock } from "@glovebox/testkit";
import "@glovebox/testkit/matchers";
import fc from "fast-check";
import { expect, test } from "vitest";

import { codeOf, createLab, send, valueOf } from "../lab.ts";

const net = (...allowedHosts: string[]) => ({ allowHttpOutbound: true, allowedHosts });
const policy = {
  network: { ...net("*.trusted.com"), methods: ["GET", "POST"], limits: { maxConcurrent: 4 } },
  filesystem: { roots: [{ guest: "/data", host: "/srv", allowRead: true, allowWrite: true }] },
};

test("an attenuated grant reaches what it names, with the parent's limits where it is silent", async () => {
  await using lab = createLab({ policy });
  const parent = lab.grant();
  const child = valueOf(
    lab.broker.attenuate(parent, { network: { ...net("a.trusted.com"), methods: ["GET"] } }),
  );
  const { network } = child;
  if (network === undefined) throw new Error("no grant");
  expect(codeOf(decideUrl(network, "https://a.trusted.com/", "GET"))).toBe("allowed");
  expect(codeOf(decideUrl(network, "https://b.trusted.com/", "GET"))).toBe(
    "BROKER_HOST_NOT_GRANTED",
  );
  expect(codeOf(decideUrl(network, "https://a.trusted.com/", "POST"))).toBe("BROKER_METHOD");
  expect(network.limits.maxConcurrent).toBe(4);
  expect(child.filesystem).toBeUndefined();
  expect(child.parentId).toBe(parent.id);
});

test.each<CapabilityRequest>([
  { network: net("*.trusted.com", "evil.com") },
  { network: net("trusted.com") },
  { network: { ...net("a.trusted.com"), anyPublicHost: true } },
  { network: net("a.trusted.com:8443") },
  { network: { ...net("a.trusted.com"), allowInsecureHttp: true } },
  { network: { ...net("a.trusted.com"), methods: ["GET", "DELETE"] } },
  { network: { ...net("a.trusted.com"), limits: { maxConcurrent: 5 } } },
  { network: { ...net("a.trusted.com"), limits: { minBytesPerSecond: 0 } } },
  { network: { ...net("a.trusted.com"), secrets: ["stripe"] } },
  { filesystem: { allowRead: true, allowWrite: false, allowedPaths: ["/"] } },
])("the wider request %# makes no grant", async (request) => {
  await using lab = createLab({ policy });
  expect(codeOf(lab.broker.attenuate(lab.grant(), request))).toBe("BROKER_ATTENUATION");
  expect(lab.broker.grants(callScope().pluginId)).toHaveLength(1);
});

test("no chain of attenuations reaches what the first grant does not", async () => {
  await using lab = createLab({ policy: { network: net("*.a.com", "x.b.com") } });
  const root = lab.grant();
  const pattern = fc.constantFrom(
    "*.a.com",
    "x.a.com",
    "*.x.a.com",
    "x.b.com",
    "y.b.com",
    "*.b.com",
  );
  const name = fc.constantFrom("x.a.com", "y.x.a.com", "x.b.com", "y.b.com", "z.x.b.com");
  fc.assert(
    fc.property(
      fc.array(fc.array(pattern, { maxLength: 3 }), { maxLength: 3 }),
      name,
      (chain, host) => {
        let grant = root;
        const url = `https://${host}/`;
        for (const hosts of chain) {
          const child = lab.broker.attenuate(grant, { network: net(...hosts) });
          if (!child.allowed) continue;
          const reached = (of: typeof grant): boolean =>
            of.network !== undefined && decideUrl(of.network, url, "GET").allowed;
          expect(reached(child.value) && !reached(grant)).toBe(false);
          grant = child.value;
        }
        for (const one of lab.broker.grants(root.pluginId))
          if (one.id !== root.id) lab.broker.revoke(one.id);
      },
    ),
  );
});

test("revoking a parent ends its children, and not the other way round", async () => {
  await using lab = createLab({ policy });
  const parent = lab.grant();
  const child = valueOf(lab.broker.attenuate(parent, { network: net("a.trusted.com") }));
  const grandchild = valueOf(lab.broker.attenuate(child, { network: net("a.trusted.com") }));
  const other = valueOf(lab.broker.attenuate(parent, { network: net("b.trusted.com") }));
  lab.broker.revoke(other.id);
  expect(codeOf(lab.broker.attenuate(parent, {}))).toBe("allowed");
  lab.broker.revoke(parent.id);
  expect(lab.broker.grants(parent.pluginId)).toEqual([]);
  const sent = await send(lab.broker.http(grandchild), "https://a.trusted.com/");
  expect(sent.code).toBe("BROKER_REVOKED");
  expect(lab.lookUps).toEqual([]);
  expect(codeOf(lab.broker.attenuate(parent, {}))).toBe("BROKER_REVOKED");
});

test("a grant expires on the monotonic clock, and so does what came from it", async () => {
  const clock = fakeClock();
  await using lab = createLab({ policy, deps: { clock } });
  const parent = valueOf(
    lab.broker.grant(callScope().pluginId, { network: net("a.trusted.com") }, { expiresInMs: 50 }),
  );
  const child = valueOf(
    lab.broker.attenuate(parent, { network: net("a.trusted.com") }, { expiresInMs: 1_000 }),
  );
  expect(child.expiresAtMs).toBe(parent.expiresAtMs);
  clock.advance(49);
  expect((await send(lab.broker.http(child), "https://b.trusted.com/")).code).toBe(
    "BROKER_HOST_NOT_GRANTED",
  );
  clock.advance(1);
  for (const grant of [parent, child])
    expect((await send(lab.broker.http(grant), "https://a.trusted.com/")).code).toBe(
      "BROKER_EXPIRED",
    );
  expect(lab.lookUps).toEqual([]);
});

test("rates and totals count for the whole chain", async () => {
  const clock = fakeClock();
  const limits = { maxRequestsPerMinute: 3 };
  await using lab = createLab({
    policy: { network: { ...policy.network, limits } },
    deps: { clock },
  });
  const parent = lab.grant();
  const children = ["a", "b"].map((name) =>
    valueOf(lab.broker.attenuate(parent, { network: net(`${name}.trusted.com`) })),
  );
  const codes: string[] = [];
  for (let at = 0; at < 4; at += 1) {
    const child = children[at % 2];
    if (child === undefined) throw new Error("no child");
    const name = at % 2 === 0 ? "a" : "b";
    codes.push((await send(lab.broker.http(child), `https://${name}.trusted.com/`)).code);
  }
  expect(codes).toEqual([
    "BROKER_RESOLVE",
    "BROKER_RESOLVE",
    "BROKER_RESOLVE",
    "BROKER_NETWORK_RATE",
  ]);
  expect(lab.broker.usage(parent).requests).toBe(3);
});
