import {
  type Approval,
  type CapabilityRequest,
  changeLines,
  createApprovals,
  createHmacSealer,
  requestChanges,
} from "@glovebox/capability-broker";
import type { FileRight } from "@glovebox/core/ports";
import { recordingDecisionLog } from "@glovebox/testkit";
import "@glovebox/testkit/matchers";
import { expect, test } from "vitest";

import { codeOf, pluginId, valueOf } from "../lab.ts";

// CWE-345, CWE-863: a yes that was given to somebody else, or to less, must not count.
const net = (...allowedHosts: string[]) => ({ allowHttpOutbound: true, allowedHosts });
const key = new Uint8Array(32).fill(7);
const request: CapabilityRequest = {
  network: net("*.trusted.com"),
  filesystem: { allowRead: true, allowWrite: false, allowedPaths: ["/data"] },
};
const subject = { pluginId: pluginId(), publisher: "key:abc", request };

function approvals(sealKey = key): ReturnType<typeof createApprovals> {
  return createApprovals({ sealer: createHmacSealer(sealKey), log: recordingDecisionLog() });
}

test("an approval covers its request and every narrower one", () => {
  const approval = valueOf(approvals().approve(subject, "ops@example.com"));
  const narrower = { network: net("a.trusted.com") };
  expect(codeOf(approvals().check(approval, subject))).toBe("allowed");
  expect(valueOf(approvals().check(approval, { ...subject, request: narrower }))).toEqual(narrower);
});

const wider: CapabilityRequest = {
  ...request,
  filesystem: { allowRead: true, allowWrite: true, allowedPaths: ["/data"] },
};

test.each<readonly [string, Partial<typeof subject>]>([
  ["another publisher", { publisher: "key:def" }],
  ["another plugin", { pluginId: pluginId("other") }],
  ["a wider request", { request: wider }],
])("%s needs a new approval", (_name, change) => {
  const approval = valueOf(approvals().approve(subject, "ops@example.com"));
  expect(codeOf(approvals().check(approval, { ...subject, ...change }))).toBe("BROKER_APPROVAL");
});

test.each<readonly [string, (approval: Approval) => Approval]>([
  ["a changed request", (approval) => ({ ...approval, request: wider })],
  ["a changed publisher", (approval) => ({ ...approval, publisher: "key:def" })],
  ["a changed operator", (approval) => ({ ...approval, operator: "root" })],
  ["an empty seal", (approval) => ({ ...approval, seal: "" })],
  [
    "a seal under another key",
    () => valueOf(approvals(new Uint8Array(32).fill(8)).approve(subject, "mallory")),
  ],
])("an approval with %s is nobody's", (_name, forge) => {
  const forged = forge(valueOf(approvals().approve(subject, "ops@example.com")));
  const asked = { ...subject, publisher: forged.publisher, request: forged.request };
  expect(codeOf(approvals().check(forged, asked))).toBe("BROKER_APPROVAL");
});

test("the digest that an operator reads names plugin, publisher and request", () => {
  const desk = approvals();
  const changes = [{ publisher: "key:def" }, { pluginId: pluginId("other") }, { request: wider }];
  const digests = [subject, ...changes.map((change) => ({ ...subject, ...change }))].map((one) =>
    desk.digest(one),
  );
  expect(new Set(digests).size).toBe(4);
  expect(valueOf(desk.approve(subject, "ops")).requestDigest).toBe(digests[0]);
});

test("nobody's yes is no yes, and short keys seal nothing", () => {
  expect(codeOf(approvals().check(undefined, subject))).toBe("BROKER_APPROVAL");
  expect(() => createHmacSealer(new Uint8Array(16))).toThrowCode("BROKER_POLICY");
});

test("the difference says in plain words what a plugin may now do", () => {
  const approval = valueOf(approvals().approve(subject, "ops@example.com"));
  const next = { ...wider, network: net("*.trusted.com", "api.example.com:8443") };
  const changes = valueOf(approvals().difference(approval, { ...subject, request: next }));
  expect(changeLines(changes)).toEqual([
    "+ may now also reach api.example.com at port 8443",
    "+ may now also write to /data",
  ]);
  const fewer = { ...subject, request: { network: net("*.trusted.com") } };
  const less = valueOf(approvals().difference(approval, fewer));
  expect(changeLines(less)).toEqual(["- may no longer read from /data"]);
});

test("against an approval of somebody else's, everything is new", () => {
  const approval = valueOf(approvals().approve(subject, "ops@example.com"));
  for (const [given, change] of [
    [approval, { publisher: "key:def" }],
    [{ ...approval, seal: "" }, {}],
    [undefined, {}],
  ] as const) {
    const changes = valueOf(approvals().difference(given, { ...subject, ...change }));
    expect(changeLines(changes)).toContain("+ may now also read from /data");
  }
});

test("rights that are asked for one by one are said one by one", () => {
  const asking = (...rights: FileRight[]) => ({
    filesystem: { allowRead: false, allowWrite: false, allowedPaths: ["/data"], rights },
  });
  const words = (before: CapabilityRequest, after: CapabilityRequest) =>
    changeLines(valueOf(requestChanges(before, after)));
  expect(words({}, asking("delete", "setTimes"))).toEqual([
    "+ may now also delete in /data",
    "+ may now also set times in /data",
  ]);
  const inner = ["/data", "/data/keys"];
  const both = { filesystem: { allowRead: true, allowWrite: false, allowedPaths: inner } };
  const outer = { filesystem: { allowRead: true, allowWrite: true, allowedPaths: ["/data"] } };
  expect(words(both, outer)).toEqual([
    "+ may now also write to /data",
    "+ may now also write to /data/keys",
  ]);
});

test("a request for no capability is covered without an approval, and every other is not", () => {
  const modest = { resources: { maxMemoryBytes: 1_048_576 } };
  expect(codeOf(approvals().check(undefined, { ...subject, request: modest }))).toBe("allowed");
  for (const right of ["list", "delete", "setTimes"] as const) {
    const filesystem = { ...wider.filesystem, rights: [right] } as typeof request.filesystem;
    const asks = { ...subject, request: { filesystem } } as typeof subject;
    expect(codeOf(approvals().check(undefined, asks))).toBe("BROKER_APPROVAL");
  }
});

test("an operator has a name that cannot forge a log", () => {
  for (const name of ["", "two words", "x\nforged", "x".repeat(111)])
    expect(codeOf(approvals().approve(subject, name))).toBe("BROKER_REQUEST");
});

test("every approval and every check is in the log, with the digest of what was asked", () => {
  const log = recordingDecisionLog();
  const both = createApprovals({ sealer: createHmacSealer(key), log });
  const approval = valueOf(both.approve(subject, "ops@example.com"));
  both.check(approval, { ...subject, request: wider });
  expect(log.events.map(({ event }) => [event.kind, event.success, event.code])).toEqual([
    ["capability.approve", true, undefined],
    ["capability.approval", false, "BROKER_APPROVAL"],
  ]);
  expect(log.events[0]?.event.actor).toBe("operator:ops@example.com");
  expect(log.events[0]?.event.details).toMatchObject({ requestDigest: approval.requestDigest });
});
