import type { CapabilityRequest } from "@glovebox/capability-broker";
import fc from "fast-check";
import { expect, test } from "vitest";

import { type Capabilities, meet, widerFields } from "#field-table";
import { NO_LIMITS, parseRequest } from "#parse-request";

import { valueOf } from "../lab.ts";

const label = fc.constantFrom("a", "b");
const host = fc.tuple(label, label).map((labels) => `${labels.join(".")}.example.com`);
const pattern = fc.oneof(
  host,
  fc.tuple(label).map(([one]) => `*.${one}.example.com`),
  fc.constant("*.example.com"),
  fc.constant("8.8.8.8"),
  host.map((name) => `${name}:8443`),
);
const folder = fc.constantFrom("/", "/a", "/a/b", "/a/b/c", "/d");
const number = fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined });
const some = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.array(value, { minLength: 1, maxLength: 4 });

/** Every side that a request can say, and the fields that only a policy or terms set. */
const side: fc.Arbitrary<Capabilities> = fc
  .record({
    http: fc.boolean(),
    hosts: fc.array(pattern, { maxLength: 4 }),
    any: fc.boolean(),
    methods: fc.option(some(fc.constantFrom("GET", "PUT", "POST")), { nil: undefined }),
    prefixes: fc.option(some(folder), { nil: undefined }),
    pins: fc.option(some(fc.constantFrom(`${"A".repeat(43)}=`, `${"B".repeat(43)}=`)), {
      nil: undefined,
    }),
    secrets: fc.array(fc.constantFrom("x", "y"), { maxLength: 2 }),
    folders: fc.array(folder, { maxLength: 3 }),
    read: fc.boolean(),
    write: fc.boolean(),
    memory: number,
    limits: fc.record({ totalTimeoutMs: number, minBytesPerSecond: number, maxRatio: number }),
    quota: number,
    expiry: number,
  })
  .map((drawn) => {
    const request = {
      network: {
        allowHttpOutbound: drawn.http,
        allowedHosts: drawn.hosts,
        anyPublicHost: drawn.any,
        secrets: drawn.secrets,
        ...(drawn.methods === undefined ? {} : { methods: drawn.methods }),
        ...(drawn.prefixes === undefined ? {} : { pathPrefixes: drawn.prefixes }),
        ...(drawn.pins === undefined ? {} : { spkiPins: drawn.pins }),
      },
      filesystem: {
        allowRead: drawn.read,
        allowWrite: drawn.write,
        allowedPaths: drawn.folders,
      },
    } satisfies CapabilityRequest;
    return {
      ...valueOf(parseRequest(request, [])),
      ...NO_LIMITS,
      ...drawn.limits,
      maxMemoryBytes: drawn.memory,
      quotaRequests: drawn.quota,
      expiresAtMs: drawn.expiry,
    };
  });

const met = (one: Capabilities, other: Capabilities): Capabilities => meet(one, other);

test("the meet does not depend on the order of the sides", () => {
  fc.assert(
    fc.property(side, side, (one, other) => {
      expect(met(one, other)).toEqual(met(other, one));
    }),
  );
});

test("the meet of three sides does not depend on which two meet first", () => {
  fc.assert(
    fc.property(side, side, side, (one, two, three) => {
      expect(met(met(one, two), three)).toEqual(met(one, met(two, three)));
    }),
  );
});

test("what has met itself does not change", () => {
  fc.assert(
    fc.property(side, side, (one, other) => {
      const once = met(one, other);
      expect(met(once, once)).toEqual(once);
      expect(widerFields(one, met(one, one))).toEqual([]);
      expect(widerFields(met(one, one), one)).toEqual([]);
    }),
  );
});

test("the meet lies within both sides", () => {
  fc.assert(
    fc.property(side, side, (one, other) => {
      const both = met(one, other);
      expect(widerFields(one, both)).toEqual([]);
      expect(widerFields(other, both)).toEqual([]);
    }),
  );
});

test("containment is transitive, and what is contained meets its container as itself", () => {
  fc.assert(
    fc.property(side, side, side, (one, two, three) => {
      const inner = met(met(one, two), three);
      expect(widerFields(one, inner)).toEqual([]);
      expect(met(one, inner)).toEqual(met(inner, inner));
    }),
  );
});
