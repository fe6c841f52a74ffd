import {
  type CapabilityRequest,
  type HostPolicy,
  type NetworkPolicy,
  createBroker,
  effectiveGrant,
} from "@glovebox/capability-broker";
import { decidePath } from "@glovebox/capability-broker/filesystem";
import { decideUrl } from "@glovebox/capability-broker/network";
import { recordingDecisionLog } from "@glovebox/testkit";
import "@glovebox/testkit/matchers";
import fc from "fast-check";
import { expect, test } from "vitest";

import { codeOf, createLab, pluginId, valueOf } from "../lab.ts";

const net = (...allowedHosts: string[]) => ({ allowHttpOutbound: true, allowedHosts });

function reaches(
  request: CapabilityRequest,
  policy: HostPolicy,
  url: string,
  approval?: CapabilityRequest,
): boolean {
  const { network } = valueOf(effectiveGrant(request, policy, approval));
  return network !== undefined && decideUrl(network, url, "GET").allowed;
}

test("a grant holds only what manifest, policy and approval all name", () => {
  const request = { network: net("*.trusted.com", "api.example.com") };
  const policy = { network: net("a.trusted.com", "*.example.com", "other.com") };
  expect(reaches(request, policy, "https://a.trusted.com/")).toBe(true);
  expect(reaches(request, policy, "https://b.trusted.com/")).toBe(false);
  expect(reaches(request, policy, "https://api.example.com/")).toBe(true);
  expect(reaches(request, policy, "https://other.com/")).toBe(false);
  expect(
    reaches(request, policy, "https://a.trusted.com/", { network: net("api.example.com") }),
  ).toBe(false);
  expect(reaches(request, policy, "https://a.trusted.com/", {})).toBe(false);
  expect(
    reaches(
      { network: { ...request.network, allowHttpOutbound: false } },
      policy,
      "https://a.trusted.com/",
    ),
  ).toBe(false);
  expect(reaches(request, {}, "https://a.trusted.com/")).toBe(false);
  expect(reaches({}, policy, "https://a.trusted.com/")).toBe(false);
});

test("ports meet as scheme and port, and http needs its loosening", () => {
  const policy = { network: { ...net("*.example.com"), ports: [8443] } };
  expect(
    reaches({ network: net("api.example.com:8443") }, policy, "https://api.example.com:8443/"),
  ).toBe(true);
  expect(reaches({ network: net("api.example.com") }, policy, "https://api.example.com/")).toBe(
    false,
  );
  expect(
    reaches(
      { network: net("api.example.com:443") },
      { network: net("*.example.com") },
      "http://api.example.com:443/",
    ),
  ).toBe(false);
  const loose = { network: { ...net("*.example.com"), allowInsecureHttp: true } };
  expect(reaches({ network: net("api.example.com") }, loose, "http://api.example.com/")).toBe(true);
  expect(reaches({ network: net("api.example.com") }, loose, "https://api.example.com:80/")).toBe(
    false,
  );
});

test("numbers meet as the smaller, and what is withheld is said", () => {
  const grant = valueOf(
    effectiveGrant(
      {
        network: net("evil.com"),
        filesystem: { allowRead: true, allowWrite: true, allowedPaths: ["/data"] },
        resources: { maxMemoryBytes: 10, maxCpuTimeMs: 5 },
      },
      {
        filesystem: {
          roots: [{ guest: "/data", host: "/srv", allowRead: true, allowWrite: false }],
        },
        resources: { maxMemoryBytes: 7 },
      },
    ),
  );
  expect(grant.resources).toEqual({ maxMemoryBytes: 7, maxCpuTimeMs: 5 });
  expect(grant.withheld).toEqual([
    "may not send HTTP requests",
    "may not write, create, append, truncate, delete, rename, mkdir in /data",
  ]);
});

test("folders meet as the contained one, and a narrower root shadows a wider one", () => {
  const request = {
    filesystem: { allowRead: true, allowWrite: true, allowedPaths: ["/data/in", "/other"] },
  };
  const roots = [
    { guest: "/data", host: "/srv/data", allowRead: true, allowWrite: true },
    { guest: "/data/in/private", host: "/srv/private", allowRead: false, allowWrite: false },
  ];
  const { filesystem } = valueOf(effectiveGrant(request, { filesystem: { roots } }));
  if (filesystem === undefined) throw new Error("no grant");
  const read = new Set(["read"] as const);
  const { folder, components } = valueOf(decidePath(filesystem, "/data/in/a", read));
  expect([folder.below, components]).toEqual([["in"], ["a"]]);
  expect(codeOf(decidePath(filesystem, "/data/a", read))).toBe("BROKER_PATH_NOT_GRANTED");
  expect(codeOf(decidePath(filesystem, "/other/a", read))).toBe("BROKER_PATH_NOT_GRANTED");
  expect(codeOf(decidePath(filesystem, "/data/in/private/a", read))).toBe(
    "BROKER_RIGHT_NOT_GRANTED",
  );
});

test.each([false, true])(
  "the narrower root speaks for a folder inside it, in any order (%s)",
  (isReversed) => {
    const roots = [
      { guest: "/data", host: "/srv/data", allowRead: true, allowWrite: true },
      { guest: "/data/in", host: "/srv/in", allowRead: true, allowWrite: false },
    ];
    const request = {
      filesystem: { allowRead: true, allowWrite: true, allowedPaths: ["/data/in/x", "/data"] },
    };
    const policy = { filesystem: { roots: isReversed ? roots.toReversed() : roots } };
    const { filesystem } = valueOf(effectiveGrant(request, policy));
    if (filesystem === undefined) throw new Error("no grant");
    expect(codeOf(decidePath(filesystem, "/data/in/x/a", new Set(["write"])))).toBe(
      "BROKER_RIGHT_NOT_GRANTED",
    );
    expect(valueOf(decidePath(filesystem, "/data/in/x/a", new Set(["read"]))).folder.host).toBe(
      "/srv/in",
    );
  },
);

test.each([
  [{ network: net("*") }, "BROKER_PATTERN"],
  [{ network: net("10.0.0.1") }, "BROKER_PATTERN"],
  [{ network: net(...Array<string>(2_049).fill("a.example.com")) }, "BROKER_REQUEST"],
  [
    { filesystem: { allowRead: true, allowWrite: false, allowedPaths: ["/a/../b"] } },
    "BROKER_REQUEST",
  ],
  [{ resources: { maxMemoryBytes: Number.NaN } }, "BROKER_REQUEST"],
  [{ network: { allowHttpOutbound: true, allowedHosts: 7 } }, "CORE_CHECK_FAILED"],
])("the malformed request %# is refused", (request, code) => {
  const broker = createBroker({ log: recordingDecisionLog() });
  expect(codeOf(broker.grant(pluginId(), request as CapabilityRequest))).toBe(code);
});

test.each<HostPolicy>([
  { denyCidrs: ["10.0.0.1/8"] },
  { network: net("*.*.com") },
  { network: { ...net("a.example.com"), methods: ["TRACE"] } },
  { network: { ...net("a.example.com"), limits: { totalTimeoutMs: -1 } } },
  { filesystem: { roots: [{ guest: "data", host: "/srv", allowRead: true, allowWrite: false }] } },
  {
    filesystem: {
      roots: [{ guest: "/data", host: "/proc/self", allowRead: true, allowWrite: false }],
    },
  },
  {
    filesystem: {
      roots: [
        { guest: "/data", host: "/srv", allowRead: true, allowWrite: false, extensions: ["json"] },
      ],
    },
  },
  { filesystem: { roots: [], totals: { maxOpenFiles: 1.5 } } },
])("the malformed policy %# throws at start", (policy) => {
  expect(() => createBroker({ policy, log: recordingDecisionLog() })).toThrowCode("BROKER_POLICY");
});

test.each([{}, { allowedHosts: "a.example" }, { anyPublicHost: true }])(
  "a network policy without a list of hosts throws at start: %j",
  (hosts) => {
    const network = { allowHttpOutbound: true, ...hosts } as unknown as NetworkPolicy;
    const options = { policy: { network }, log: recordingDecisionLog() };
    expect(() => createBroker(options)).toThrowCode("BROKER_POLICY");
  },
);

test("with checks off a plugin gets what it asks and nothing else", async () => {
  await using lab = createLab({
    policy: { denyCidrs: ["8.8.8.0/24"] },
    options: { checksEnabled: false },
  });
  const grant = lab.grant({ network: net("api.example.com", "8.8.8.8") });
  if (grant.network === undefined) throw new Error("no grant");
  expect(codeOf(decideUrl(grant.network, "https://api.example.com/", "GET"))).toBe("allowed");
  expect(codeOf(decideUrl(grant.network, "http://api.example.com/", "GET"))).toBe(
    "BROKER_URL_SCHEME",
  );
  expect(codeOf(decideUrl(grant.network, "https://8.8.8.8/", "GET"))).toBe("BROKER_ADDRESS_DENIED");
  expect(grant.filesystem).toBeUndefined();
  expect(lab.log.events[0]?.event.details).toMatchObject({ checksEnabled: false });
});

test("file grants are refused where files cannot be opened without races", async () => {
  const policy = {
    filesystem: { roots: [{ guest: "/data", host: "/srv", allowRead: true, allowWrite: false }] },
  };
  await using lab = createLab({ policy, deps: { supportsFiles: () => false } });
  expect(
    codeOf(
      lab.broker.grant(pluginId(), {
        filesystem: { allowRead: true, allowWrite: false, allowedPaths: ["/data"] },
      }),
    ),
  ).toBe("BROKER_FILES_UNSUPPORTED");
  expect(codeOf(lab.broker.grant(pluginId(), {}))).toBe("allowed");
});

test("a closed broker has revoked all and grants nothing", async () => {
  const lab = createLab({ policy: {} });
  lab.grant({});
  await lab.broker.close();
  expect(lab.broker.grants(pluginId())).toEqual([]);
  expect(() => lab.grant({})).toThrowCode("BROKER_CLOSED");
});

test("no host is reached that one of the sides does not reach alone", () => {
  const label = fc.constantFrom("a", "b", "www");
  const name = fc
    .tuple(label, label, fc.constantFrom("com", "net"))
    .map((labels) => labels.join("."));
  const pattern = fc.oneof(
    name,
    name.map((host) => `*.${host.slice(host.indexOf(".") + 1)}`),
  );
  const side = fc.array(pattern, { maxLength: 5 });
  fc.assert(
    fc.property(side, side, name, (left, right, host) => {
      const url = `https://${host}/`;
      const alone = (hosts: string[]) =>
        reaches({ network: net(...hosts) }, { network: net(...hosts) }, url);
      expect(reaches({ network: net(...left) }, { network: net(...right) }, url)).toBe(
        alone(left) && alone(right),
      );
    }),
  );
});
