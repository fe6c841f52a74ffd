import { canonicalJson, type JsonValue } from "@glovebox/core/json";
import type { AuditEvent, OperationScope } from "@glovebox/core/ports";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import "@glovebox/testkit/matchers";

import { EVENT_KINDS } from "#src/event/event-kinds";
import { EVENT_MEMBERS } from "#src/event/event-members";
import { readEvent } from "#src/event/read-event";
import { type AuditorMembers, writeEvent } from "#src/event/write-event";

import { event } from "../fixture.ts";

const OWN: AuditorMembers = { time: 1 };
const USAGE = {
  wallMs: 1.5,
  cpuMs: null,
  instructions: 1_000,
  instructionsExact: true,
  memoryPeakBytes: 65_536,
  inputBytes: 2,
  outputBytes: 3,
  networkRequests: 0,
  fileOperations: 0,
};

/** What may not be recorded, as a host without types might try. */
function malformed(more: Readonly<Record<string, unknown>>): AuditEvent {
  return { ...event(), ...more };
}

describe("the table of members", () => {
  test("is in the order in which RFC 8785 section 3.2.3 wants them written", () => {
    const names = Object.keys(EVENT_MEMBERS);
    expect(names).toEqual(names.toSorted());
  });
});

describe("the writer", () => {
  test("writes the ids of the scope, every member of the event, and what the auditor adds", () => {
    const scope = {
      pluginId: "rate-table",
      callId: "c",
      tenantId: "t",
    } as unknown as OperationScope;
    const own: AuditorMembers = {
      time: 1_700_000_000_000,
      count: 3,
      firstTime: 7,
      seq: 9,
      subject: "s",
      encJson: '{"ct":"","iv":"","tag":""}',
      piiJson: '{"userId":"c"}',
    };
    const recorded: AuditEvent = {
      kind: "call",
      success: false,
      actor: "operator:alice",
      function: "query_datasource",
      code: "SANDBOX_TRAP",
      rule: "call.end",
      error: "unreachable",
      executionTimeMs: 1.25,
      grantId: "g",
      traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
      resourceUsage: USAGE,
      details: { b: [1, null], a: { ü: true } },
    };
    const json = writeEvent(scope, recorded, own) as string;
    expect(JSON.parse(json)).toEqual({
      ...recorded,
      pluginId: "rate-table",
      callId: "c",
      tenantId: "t",
      time: own.time,
      count: 3,
      firstTime: 7,
      seq: 9,
      subject: "s",
      enc: { ct: "", iv: "", tag: "" },
      pii: { userId: "c" },
      v: 1,
    });
    expect(canonicalJson(JSON.parse(json) as JsonValue)).toBe(json);
    const written = Object.keys(JSON.parse(json) as object);
    expect(written).toEqual(Object.keys(EVENT_MEMBERS).filter((name) => name !== "userId"));
  });

  test("does not take text that looks like a member for one", () => {
    const text = '"details":0,"enc":0,\\"pii":0 \\ud800 \\\\ud800';
    const own = { time: 1, subject: text, encJson: '{"ct":"1"}', piiJson: '{"userId":"2"}' };
    const details = { [text]: text, enc: 0, pii: 0 };
    const recorded = event("call", { code: text, error: text, details });
    const json = writeEvent(
      { callId: text, pluginId: text } as unknown as OperationScope,
      recorded,
      own,
    ) as string;
    expect(JSON.parse(json)).toMatchObject({
      ...recorded,
      enc: { ct: "1" },
      pii: { userId: "2" },
      callId: text,
    });
    expect(canonicalJson(JSON.parse(json) as JsonValue)).toBe(json);
  });

  test.each([
    [{ 10: 1, 2: 2, b: 1, a: 2 }],
    [{ a: { c: 1, b: [2] } }],
    [JSON.parse('{"__proto__":{"x":1},"a":1}') as Record<string, JsonValue>],
    [
      {
        a: -0,
        b: 1e-7,
        c: 1e21,
        d: null,
        e: true,
        "€": "ü",
        "\u{1f600}": "\u{10ffff}",
        "\ufb33": 1,
      },
    ],
    [Object.assign(Object.create(null), { b: 1, a: 2 }) as Record<string, JsonValue>],
  ])("writes the details %j as RFC 8785 wants them", (details) => {
    const json = writeEvent({}, event("call", { details }), OWN) as string;
    expect(json).toContain(`"details":${canonicalJson(details)},`);
  });

  test("reads nothing of a scope but its ids", () => {
    const scope = { pluginId: "p", secret: "hunter2" } as unknown as OperationScope;
    expect(writeEvent(scope, event(), OWN)).not.toContain("hunter2");
  });

  test.each(Object.entries(EVENT_KINDS))("knows what to do with the kind %s", (kind, entry) => {
    const isOwn = "own" in entry;
    expect(typeof writeEvent({}, event(kind), OWN)).toBe(isOwn ? "object" : "string");
    expect(typeof writeEvent({}, event(kind), OWN, true)).toBe("string");
  });

  test.each(["", "Call", "file.open", "toString", "__proto__", "opened", "erasure", "prune"])(
    "refuses the kind %j, which is not in the table or only the auditor's",
    (kind) => {
      expect(writeEvent({}, event(kind), OWN)).toRefuse("AUDITOR_EVENT_KIND");
    },
  );

  test.each([
    ["an unknown member", { plugin: "x" }],
    ["an unknown member beside an absent one", { plugin: "x", code: undefined }],
    ["a member that only the auditor writes", { subject: "someone" }],
    ["a time", { time: 1 }],
    ["no success", { success: undefined }],
    ["success as text", { success: "yes" }],
    ["a number for text", { error: 1 }],
    ["half a surrogate pair", { error: "\ud800" }],
    ["half a surrogate pair in a key", { details: { "\udc00": 1 } }],
    ["an endless time", { executionTimeMs: Infinity }],
    ["a time as text", { executionTimeMs: "1" }],
    ["a trace id of zeros", { traceId: "0".repeat(32) }],
    ["a trace id that is none", { traceId: "4BF92F35" }],
    ["an actor of another form", { actor: "alice" }],
    ["an actor with a line feed", { actor: "operator:a\nb" }],
    ["details that are a list", { details: [1] }],
    ["details that are text", { details: "x" }],
    ["details that are null", { details: null }],
    ["details with undefined", { details: { a: undefined } }],
    ["details with a date", { details: { a: new Date(0) } }],
    ["usage that is null", { resourceUsage: null }],
    ["usage with a member missing", { resourceUsage: { wallMs: 1 } }],
    ["usage with another member", { resourceUsage: { ...USAGE, gpuMs: 1 } }],
    ["usage with text", { resourceUsage: { ...USAGE, wallMs: "1" } }],
    ["usage that is not a number", { resourceUsage: { ...USAGE, cpuMs: Number.NaN } }],
  ])("refuses %s", (_, more) => {
    expect(writeEvent({}, malformed(more), OWN)).toRefuse("AUDITOR_EVENT_INVALID");
  });

  test("writes −0 as 0, and numbers as ECMAScript prints them", () => {
    const json = writeEvent({}, event("call", { executionTimeMs: -0 }), OWN);
    expect(json).toContain('"executionTimeMs":0,');
    expect(writeEvent({}, event("call", { executionTimeMs: 1e21 }), OWN)).toContain("1e+21");
  });
});

const text = fc.string({ unit: "binary", maxLength: 30 });
const anyEvent = fc.record(
  {
    kind: fc.constantFrom("call", "deny", "http", "operator"),
    success: fc.boolean(),
    function: text,
    code: text,
    rule: text,
    error: text,
    grantId: text,
    executionTimeMs: fc.double({ noNaN: true, noDefaultInfinity: true }),
    resourceUsage: fc.constant(USAGE),
    details: fc.dictionary(
      fc.oneof(text, fc.constantFrom("__proto__", "constructor", "toJSON")),
      fc.jsonValue(),
    ),
  },
  { requiredKeys: ["kind", "success"] },
);

test("an event is canonical JSON and reads back byte for byte, whatever its text", () => {
  fc.assert(
    fc.property(anyEvent, (generated) => {
      const recorded = JSON.parse(JSON.stringify(generated)) as AuditEvent;
      const json = writeEvent({}, recorded, OWN);
      if (typeof json !== "string") throw new Error(json.reason);
      expect(canonicalJson(JSON.parse(json) as JsonValue)).toBe(json);
      const read = readEvent(Buffer.from(json));
      if (!read.allowed) throw new Error(read.reason);
      expect(canonicalJson(read.value as unknown as JsonValue)).toBe(json);
      expect(JSON.parse(json)).toEqual({ ...recorded, time: 1, v: 1 });
    }),
    { numRuns: 300 },
  );
});

describe("the reader", () => {
  const GOOD = '{"kind":"call","success":true,"time":1,"v":1}';

  test("reads what was written", () => {
    const read = readEvent(Buffer.from(GOOD));
    expect(read).toMatchObject({ allowed: true, value: { kind: "call", success: true, time: 1 } });
  });

  test.each([
    ["duplicate keys", '{"kind":"call","kind":"deny","success":true,"time":1,"v":1}'],
    [
      "duplicate keys within details",
      '{"details":{"a":1,"a":2},"kind":"call","success":true,"time":1,"v":1}',
    ],
    ["half a surrogate pair", '{"error":"\\ud800","kind":"call","success":true,"time":1,"v":1}'],
    ["keys in another order", '{"success":true,"kind":"call","time":1,"v":1}'],
    ["white space", '{"kind":"call", "success":true,"time":1,"v":1}'],
    ["another spelling of a number", '{"kind":"call","success":true,"time":1.0,"v":1}'],
    ["another spelling of text", '{"kind":"\\u0063all","success":true,"time":1,"v":1}'],
    ["an unknown kind", '{"kind":"dance","success":true,"time":1,"v":1}'],
    ["an unknown member", '{"kind":"call","mood":"good","success":true,"time":1,"v":1}'],
    ["another format", '{"kind":"call","success":true,"time":1,"v":2}'],
    ["no time", '{"kind":"call","success":true,"v":1}'],
    ["a negative time", '{"kind":"call","success":true,"time":-1,"v":1}'],
    ["success as text", '{"kind":"call","success":"true","time":1,"v":1}'],
    ["enc with a number", '{"enc":{"ct":1},"kind":"call","success":true,"time":1,"v":1}'],
    [
      "usage without its members",
      '{"kind":"call","resourceUsage":{},"success":true,"time":1,"v":1}',
    ],
    ["a list", "[]"],
    ["text", '"call"'],
    ["nothing", ""],
    ["what follows", `${GOOD} `],
    ["a byte order mark", `\ufeff${GOOD}`],
  ])("refuses %s", (_, json) => {
    expect(readEvent(Buffer.from(json))).toRefuse("AUDITOR_ENTRY_INVALID");
  });

  test("refuses bytes that are not UTF-8, and never throws for any others", () => {
    expect(readEvent(Buffer.from(`${GOOD.slice(0, -1)}\xff}`, "latin1"))).toRefuse(
      "AUDITOR_ENTRY_INVALID",
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(readEvent(bytes).allowed).toBe(false);
      }),
    );
  });

  test("is not stopped by a thousand levels of nesting", () => {
    const json = `{"details":{"a":${"[".repeat(20_000)}${"]".repeat(20_000)}},"kind":"call","success":true,"time":1,"v":1}`;
    expect(readEvent(Buffer.from(json))).toRefuse("AUDITOR_ENTRY_INVALID");
  });
});
