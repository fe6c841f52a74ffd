import { EVENT_KINDS } from "@glovebox/auditor";
import { canonicalJson, type JsonValue } from "@glovebox/core/json";
import type { AuditEvent, OperationScope } from "@glovebox/core/ports";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import "@glovebox/testkit/matchers";

import { event, logDirectory, taken } from "../fixture.ts";

/** What may not be recorded, as a host without types might try. */
function malformed(more: Readonly<Record<string, unknown>>): AuditEvent {
  return { ...event(), ...more };
}

const USAGE = {
  wallMs: 0,
  cpuMs: null,
  instructions: null,
  instructionsExact: null,
  memoryPeakBytes: null,
  inputBytes: 0,
  outputBytes: 0,
  networkRequests: 0,
  fileOperations: 0,
};

describe("the closed schema", () => {
  test.each(Object.keys(EVENT_KINDS))("knows what to do with the kind %s", async (kind) => {
    await using directory = await logDirectory();
    await using auditor = await directory.open();
    const isOwn = "own" in EVENT_KINDS[kind as keyof typeof EVENT_KINDS];
    expect(auditor.record({}, event(kind)).allowed).toBe(!isOwn);
  });

  test("refuses kinds that are not in the table, and those that only the log writes", async () => {
    await using directory = await logDirectory();
    await using auditor = await directory.open();
    for (const kind of ["", "Call", "file.open", "toString", "__proto__", "opened", "closed"]) {
      expect(auditor.record({}, event(kind))).toRefuse("AUDITOR_EVENT_KIND");
    }
  });

  test.each([
    ["an unknown member", { plugin: "x" }],
    ["success as text", { success: "yes" }],
    ["a number for text", { error: 1 }],
    ["half a surrogate pair", { userId: "\ud800" }],
    ["half a surrogate pair in a key", { details: { "\udc00": 1 } }],
    ["an endless time", { executionTimeMs: Infinity }],
    ["a time as text", { executionTimeMs: "1" }],
    ["details that are a list", { details: [1] }],
    ["details that are text", { details: "x" }],
    ["details that are null", { details: null }],
    ["details with undefined", { details: { a: undefined } }],
    ["details with a date", { details: { a: new Date(0) } }],
    ["usage that is null", { resourceUsage: null }],
    ["usage with a member missing", { resourceUsage: { wallMs: 1 } }],
    ["usage with another member", { resourceUsage: { ...USAGE, wallMs: 1, gpuMs: 1 } }],
    ["usage with text", { resourceUsage: { ...USAGE, wallMs: "1" } }],
    ["usage that is not a number", { resourceUsage: { ...USAGE, cpuMs: Number.NaN } }],
  ])("refuses %s", async (_, more) => {
    await using directory = await logDirectory();
    await using auditor = await directory.open();
    expect(auditor.record({}, malformed(more))).toRefuse("AUDITOR_EVENT_INVALID");
    expect(auditor.record({}, event()).allowed).toBe(true);
  });

  test("refuses an event that cannot even be read", async () => {
    await using directory = await logDirectory();
    await using auditor = await directory.open();
    const broken = Object.defineProperty(event(), "error", {
      get() {
        throw new Error("gone");
      },
    });
    expect(auditor.record({}, broken)).toRefuse("CORE_CHECK_FAILED");
    expect(auditor.record({}, null as unknown as AuditEvent)).toRefuse("CORE_CHECK_FAILED");
  });

  test("takes an event of the largest size and refuses one byte more, cutting nothing", async () => {
    await using directory = await logDirectory();
    const auditor = await directory.open();
    const empty = JSON.stringify({ error: "", kind: "call", success: true }).length;
    const largest = "ü".repeat((65_535 - empty - 1) / 2) + "x".repeat((65_535 - empty) % 2 || 2);
    const fit = largest.slice(0, largest.length - (Buffer.byteLength(largest) - (65_535 - empty)));
    expect(auditor.record({}, event("call", { error: `${fit}x` }))).toRefuse("AUDITOR_EVENT_SIZE");
    taken(auditor, event("call", { error: fit }));
    await auditor.close();
    expect((await directory.lines())[1]?.event.error).toBe(fit);
  });
});

test("an event is canonical JSON, and reads back as it was, whatever its text", async () => {
  await using directory = await logDirectory();
  const auditor = await directory.open({ maxQueuedEvents: 1_000 });
  const text = fc.string({ unit: "binary", maxLength: 30 });
  const recorded: AuditEvent[] = [];
  fc.assert(
    fc.property(
      fc.record(
        {
          kind: fc.constantFrom("call", "deny", "http"),
          success: fc.boolean(),
          function: text,
          userId: text,
          code: text,
          rule: text,
          error: text,
          executionTimeMs: fc.double({ noNaN: true, noDefaultInfinity: true }),
          resourceUsage: fc.constant(USAGE),
          details: fc.dictionary(text, fc.jsonValue()),
        },
        { requiredKeys: ["kind", "success"] },
      ),
      (generated) => {
        const value = JSON.parse(JSON.stringify(generated)) as AuditEvent;
        taken(auditor, value);
        recorded.push(value);
      },
    ),
    { numRuns: 50 },
  );
  await auditor.close();
  const lines = (await directory.text()).trimEnd().split("\n");
  expect(lines).toHaveLength(recorded.length + 2);
  for (const [index, value] of recorded.entries()) {
    const line = lines[index + 1] ?? "";
    expect(canonicalJson(JSON.parse(line) as JsonValue)).toBe(line);
    expect((JSON.parse(line) as { event: unknown }).event).toEqual(value);
  }
});

test("reads nothing of a scope but its ids", async () => {
  await using directory = await logDirectory();
  await using auditor = await directory.open();
  const scope = { pluginId: "p", secret: "hunter2" } as unknown as OperationScope;
  const decision = auditor.record(scope, event());
  if (decision.allowed) await decision.value.durable;
  expect(await directory.text()).not.toContain("hunter2");
});
