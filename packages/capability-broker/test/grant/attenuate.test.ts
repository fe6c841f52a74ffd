import type { CapabilityRequest } from "@glovebox/capability-broker";
import { decideUrl } from "@glovebox/capability-broker/network";
import { callScope, fakeClock } from "@glovebox/testkit";
import "@glovebox/testkit/matchers";
import { startHttpServer } from "@glovebox/testkit/servers";
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

test.each([
  ["sent bytes", { quota: { sentBytes: 60 } }, {}, "BROKER_QUOTA"],
  ["received bytes", { quota: { receivedBytes: 3 } }, {}, "BROKER_QUOTA"],
  ["requests", { quota: { requests: 1 } }, {}, "BROKER_QUOTA"],
  ["look-ups", {}, { maxLookUpsPerMinute: 1 }, "BROKER_NETWORK_RATE"],
  ["requests in a minute", {}, { maxRequestsPerMinute: 1 }, "BROKER_NETWORK_RATE"],
])("%s of one child are missing to the next", async (_what, terms, limits, code) => {
  await using server = await startHttpServer((_request, response) => response.end("ok"));
  const open = { ...policy.network, allowInsecureHttp: true };
  await using lab = createLab({
    policy: { network: { ...open, limits } },
    dns: { "*": [["93.184.215.14"]] },
    port: server.port,
    deps: { clock: fakeClock() },
  });
  const insecure = (host: string) => ({ ...net(host), allowInsecureHttp: true });
  const request = { network: insecure("*.trusted.com") };
  const parent = valueOf(lab.broker.grant(lab.grant().pluginId, request, terms));
  const codes: string[] = [];
  for (const host of ["a.trusted.com", "b.trusted.com"]) {
    const child = valueOf(lab.broker.attenuate(parent, { network: insecure(host) }));
    codes.push((await send(lab.broker.http(child), `http://${host}/`)).code);
  }
  expect(codes).toEqual(["allowed", code]);
});

test("exchanges of a child take their parent's places, and give them back", async () => {
  await using server = await startHttpServer((_request, response) => response.end("ok"));
  const open = { ...policy.network, allowInsecureHttp: true, limits: { maxConcurrent: 1 } };
  await using lab = createLab({
    policy: { network: open },
    dns: { "*": [["93.184.215.14"]] },
    port: server.port,
  });
  const parent = lab.grant();
  const network = { ...net("a.trusted.com"), allowInsecureHttp: true };
  const [one, other] = [0, 1].map(() => valueOf(lab.broker.attenuate(parent, { network })));
  if (one === undefined || other === undefined) throw new Error("no child");
  const request = { method: "GET", url: "http://a.trusted.com/", headers: [] };
  const exchange = valueOf(await lab.broker.http(one).begin(callScope(), request));
  for (const grant of [parent, one, other])
    expect((await send(lab.broker.http(grant), request.url)).code).toBe("BROKER_NETWORK_BUSY");
  await exchange[Symbol.asyncDispose]();
  for (const grant of [parent, one, other])
    expect((await send(lab.broker.http(grant), request.url)).code).toBe("allowed");
});

test.each([{ quota: { requests: -1 } }, { quota: { sentBytes: Number.NaN } }, { expiresInMs: -1 }])(
  "terms that are no numbers from 0 make no grant: %j",
  async (terms) => {
    await using lab = createLab({ policy });
    const granted = lab.broker.grant(
      lab.grant().pluginId,
      { network: net("a.trusted.com") },
      terms,
    );
    expect(codeOf(granted)).toBe("BROKER_REQUEST");
  },
);

test("a grant is over at its time, and so is what came from it, though no timer has fired", async () => {
  const clock = fakeClock();
  // A thread that is busy fires no timer; the clock goes on.
  const late = { ...clock, setTimer: () => ({ cancel: ignore, [Symbol.dispose]: ignore }) };
  await using lab = createLab({ policy, deps: { clock: late } });
  const request = { network: net("*.trusted.com") };
  const parent = valueOf(lab.broker.grant(lab.grant().pluginId, request, { expiresInMs: 50 }));
  const child = valueOf(lab.broker.attenuate(parent, { network: net("a.trusted.com") }));
  const decide = (): string[] =>
    [parent, child].map((grant) =>
      codeOf(lab.broker.http(grant).decide("https://a.trusted.com/", "GET")),
    );
  clock.advance(49);
  expect(decide()).toEqual(["allowed", "allowed"]);
  clock.advance(1);
  expect(decide()).toEqual(["BROKER_EXPIRED", "BROKER_EXPIRED"]);
});

test("every public host holds no private address", async () => {
  const open = {
    network: { ...net("10.1.2.3"), anyPublicHost: true, privateCidrs: ["10.1.2.0/24"] },
  };
  await using lab = createLab({ policy: open });
  const parent = lab.grant({ network: { ...net(), anyPublicHost: true } });
  for (const [host, code] of [
    ["10.1.2.3", "BROKER_ATTENUATION"],
    ["10.1.2.4", "BROKER_ATTENUATION"],
    ["8.8.8.8", "allowed"],
  ] as const)
    expect(codeOf(lab.broker.attenuate(parent, { network: net(host) }))).toBe(code);
});

function ignore(): void {
  // Nothing is to be done.
}

test("a child keeps the pins of its parent, and has no secret that it did not ask for", async () => {
  const spkiPins = [`${"A".repeat(43)}=`];
  const key = { name: "key", origin: "https://a.trusted.com", header: "x-key" };
  const secrets = [{ ...key, template: "{{secret:key}}" }];
  await using lab = createLab({ policy: { network: { ...policy.network, spkiPins, secrets } } });
  const parent = lab.grant();
  const child = valueOf(lab.broker.attenuate(parent, { network: net("a.trusted.com") }));
  expect(parent.network?.secrets).toHaveLength(1);
  expect(child.network?.pins).toEqual([spkiPins]);
  for (const grant of [child, lab.grant({ network: net("a.trusted.com") })])
    expect(grant.network?.secrets).toEqual([]);
});
