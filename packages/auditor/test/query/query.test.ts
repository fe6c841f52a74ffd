import { readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { AuditEvent, OperationScope } from "@glovebox/core/ports";
import { describe, expect, test } from "vitest";
import "@glovebox/testkit/matchers";

import type { EventFilter } from "#src/query/event-filter";
import type { EventQuery } from "#src/query/query";
import { isSummaryOf, mayHold, summarise } from "#src/query/segment-summary";

import { event } from "../fixture.ts";
import { testTrail, type TestTrail } from "../trail.ts";

const scopeOf = (pluginId: string): OperationScope => ({ pluginId }) as unknown as OperationScope;

/** `count` calls, one a millisecond, of seven plugins; every tenth is refused, every 500th an operator. */
async function filled(t: TestTrail, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    t.clock.advance(1);
    const more: Partial<AuditEvent> =
      n % 10 === 0 ? { success: false, code: "BROKER_DENIED" } : { userId: `user-${n % 3}` };
    t.trail.record(scopeOf(`p${n % 7}`), event("call", { ...more, details: { n } }));
    if (n % 500 === 0)
      t.trail.record({}, event("operator", { actor: "operator:alice", details: { n } }));
  }
}

/** All pages of a query. */
async function pages(t: TestTrail, query: EventQuery): Promise<readonly (readonly number[])[]> {
  const found: number[][] = [];
  let cursor: string | undefined;
  do {
    const page = await t.trail.query({ ...query, ...(cursor === undefined ? {} : { cursor }) });
    found.push(page.events.map(({ event: { details } }) => Number(details?.["n"])));
    ({ cursor } = page);
  } while (cursor !== undefined);
  return found;
}

const COUNT = 2_000;
const ALL = Array.from({ length: COUNT }, (_, n) => n);

describe("a query", () => {
  test("answers the newest first, over all classes, by default", async () => {
    await using t = await testTrail();
    await filled(t, 501);
    const { events } = await t.trail.query({ limit: 4 });
    expect(events.map(({ class: kept, event: { details } }) => [kept, details?.["n"]])).toEqual(
      expect.arrayContaining([
        ["activity", 500],
        ["security", 500],
        ["activity", 499],
        ["activity", 498],
      ]),
    );
  });

  test.each<[string, EventFilter, (n: number) => boolean]>([
    ["plugin", { pluginId: "p3" }, (n) => n % 7 === 3],
    ["decision", { decision: "refused" }, (n) => n % 10 === 0],
    ["code", { code: "BROKER_DENIED" }, (n) => n % 10 === 0],
    ["plugin and decision", { pluginId: "p0", decision: "refused" }, (n) => n % 70 === 0],
    ["a plugin that never was", { pluginId: "nobody" }, () => false],
    ["an actor that never was", { actor: "operator:bob" }, () => false],
  ])(
    "by %s finds exactly what is there, page by page, in both orders",
    async (_, filter, isFound) => {
      await using t = await testTrail();
      await filled(t, COUNT);
      const expected = ALL.filter(isFound);
      for (const limit of [1_000, 7]) {
        const base = { ...filter, kind: "call" as const, limit };
        expect((await pages(t, { ...base, order: "oldest" })).flat()).toEqual(expected);
        const newest = await pages(t, { ...base, order: "newest" });
        expect(newest.flat()).toEqual(expected.toReversed());
        expect(newest.slice(0, -1).every((page) => page.length === limit)).toBe(true);
      }
    },
    60_000,
  );

  test("by time takes from the first millisecond and stops before the last", async () => {
    await using t = await testTrail();
    const start = t.clock.wallMs();
    await filled(t, 1_000);
    const filter = { kind: "call" as const, sinceMs: start + 101, untilMs: start + 201 };
    const found = (await pages(t, { ...filter, order: "oldest", limit: 30 })).flat();
    expect(found).toEqual(ALL.slice(100, 200));
  });

  test("by actor finds operators by name and persons by pseudonym", async () => {
    await using t = await testTrail();
    await filled(t, 600);
    const operators = await t.trail.query({ actor: "operator:alice" });
    expect(operators.events.map(({ event: { details } }) => details?.["n"])).toEqual([500, 0]);
    const subject = t.keys.find("user-1")?.subject ?? "";
    const found = (await pages(t, { actor: subject, order: "oldest", limit: 100 })).flat();
    expect(found).toEqual(ALL.slice(0, 600).filter((n) => n % 3 === 1 && n % 10 !== 0));
  });

  test("sees what was recorded a moment ago, and not what is not durable", async () => {
    await using t = await testTrail();
    t.trail.record({}, event("operator"));
    expect((await t.trail.query()).events).toHaveLength(1);
  });

  test.each([
    [{ limit: 0 }],
    [{ limit: 10_001 }],
    [{ limit: 1.5 }],
    [{ cursor: "" }],
    [{ cursor: "x" }],
    [{ cursor: "not base64!" }],
    [{ cursor: Buffer.from("[1]x").toString("base64url") }],
    [{ cursor: Buffer.from('{"a":"b"}').toString("base64url") }],
    [{ cursor: Buffer.from('{"a":-2}').toString("base64url") }],
    [{ cursor: "A".repeat(5_000) }],
  ])("refuses %j", async (query) => {
    await using t = await testTrail();
    await expect(t.trail.query(query)).rejects.toThrowCode("AUDITOR_QUERY");
  });

  test("goes on where it was while events are added, without one twice", async () => {
    await using t = await testTrail();
    await filled(t, 300);
    const first = await t.trail.query({ kind: "call", limit: 100 });
    await filled(t, 300);
    const second = await t.trail.query({ kind: "call", limit: 100, cursor: first.cursor ?? "" });
    const numbers = [...first.events, ...second.events].map(({ index }) => index);
    expect(numbers).toEqual(Array.from({ length: 200 }, (_, n) => 299 - n));
  });
});

describe("the index", () => {
  const path = (t: TestTrail): string => join(t.directory, "index", "activity.idx");

  test("passes by the bundles that cannot hold what is looked for", async () => {
    await using t = await testTrail();
    await filled(t, 2_000);
    await t.trail.query();
    const log = t.logs.get("activity");
    if (log === undefined) throw new Error("no log");
    const read = log.read.bind(log);
    let bundles = 0;
    log.read = (from, to) => {
      bundles += 1;
      return read(from, to);
    };
    await t.trail.query({ pluginId: "nobody" });
    // Seven whole bundles are passed by; the eighth is not whole.
    expect(bundles).toBe(1);
  });

  test.each<[string, (file: string) => Promise<void>]>([
    ["removed", (file) => writeFile(file, "")],
    ["of another format", async (file) => writeFile(file, (await readFile(file)).fill(7, 0, 64))],
    ["cut", (file) => truncate(file, 700)],
    ["cut within a summary", (file) => truncate(file, 1_000)],
    ["filled with zeros", async (file) => writeFile(file, (await readFile(file)).fill(0, 256))],
    [
      "of flipped bits",
      async (file) =>
        writeFile(
          file,
          (await readFile(file)).map((byte, at) => (at < 256 ? byte : byte ^ 1)),
        ),
    ],
    [
      "swapped",
      async (file) => {
        const bytes = await readFile(file);
        await writeFile(
          file,
          Buffer.concat([bytes.subarray(0, 256), bytes.subarray(512), bytes.subarray(256, 512)]),
        );
      },
    ],
    [
      "longer than its log",
      async (file) => writeFile(file, Buffer.concat([await readFile(file), Buffer.alloc(4_096)])),
    ],
  ])("that was %s hides nothing", async (_, damage) => {
    await using t = await testTrail();
    await filled(t, 1_100);
    await t.trail.query();
    await t.trail.close();
    await damage(path(t));
    const trail = await t.reopen();
    for (const pluginId of ["p0", "p6"]) {
      const { events } = await trail.query({ pluginId, limit: 1_000, order: "oldest" });
      const found = events.map(({ event: { details } }) => details?.["n"]);
      expect(found).toEqual(ALL.slice(0, 1_100).filter((n) => `p${n % 7}` === pluginId));
    }
    await trail.close();
  });

  test("that is a link is not followed", async () => {
    await using t = await testTrail();
    await t.trail.close();
    const { symlink, rm } = await import("node:fs/promises");
    await rm(path(t));
    await symlink("/etc/hostname", path(t));
    await expect(t.reopen()).rejects.toThrowCode("AUDITOR_DIRECTORY");
  });
});

test("a summary never says no of what is there", () => {
  const logged = ALL.slice(0, 256).map((n) => ({
    kind: "call" as const,
    success: n % 2 === 0,
    time: n,
    v: 1,
    pluginId: `p${n}`,
    subject: `s${n}`,
    code: `C${n}`,
  }));
  const summary = summarise(3, logged);
  expect(isSummaryOf(3, summary)).toBe(true);
  expect(isSummaryOf(4, summary)).toBe(false);
  for (const { pluginId, subject, code, time } of logged) {
    const filter = { pluginId, actor: subject, code, sinceMs: time, untilMs: time + 1 };
    expect(mayHold(filter, summary)).toBe(true);
  }
  expect(mayHold({ sinceMs: 256 }, summary)).toBe(false);
  expect(mayHold({ untilMs: 0 }, summary)).toBe(false);
  expect(mayHold({ kind: "deny" }, summary)).toBe(false);
});
