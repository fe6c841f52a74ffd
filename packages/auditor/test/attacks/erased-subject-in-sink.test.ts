/**
 * threats.md: erased-subject-in-sink. After an erasure no sink, index, tail, query or copy may hold
 * what was personal in the clear: they never had it.
 */
import { cp, link, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, test } from "vitest";
import "@glovebox/testkit/matchers";

import { createLoggerSink } from "#src/sinks/logger";
import { toOcsf } from "#src/sinks/ocsf";
import { logsDataOf } from "#src/sinks/otlp";
import { createPostgresSink } from "#src/sinks/postgres";
import type { SinkEvent } from "#src/sinks/sink";
import { messageOf } from "#src/sinks/syslog";
import { openSubjectKeyFiles } from "#src/subject/key-files";

import { event } from "../fixture.ts";
import { testTrail } from "../trail.ts";

const REQUEST = { reason: "GDPR 17(1)(b)", actor: "operator:dpo" };
const ALICE = "alice@example.com";

/** Every byte of every file below a directory. */
async function bytesBelow(directory: string): Promise<string> {
  let all = "";
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) all += await readFile(join(entry.parentPath, entry.name), "latin1");
  }
  return all;
}

/** An event as each exporter sends it. */
async function exportsOf(sent: SinkEvent): Promise<readonly unknown[]> {
  const rows: unknown[] = [];
  const client = { query: async (...statement: readonly unknown[]) => void rows.push(statement) };
  const logged: unknown[] = [];
  const log = (fields: object): void => void logged.push(fields);
  const never = new AbortController().signal;
  await createPostgresSink({ client }).send([sent], never);
  await createLoggerSink({ logger: { info: log, warn: log, error: log } }).send([sent], never);
  const entry = Buffer.from(sent.json).toString("latin1");
  return [messageOf(sent, "h", 13), logsDataOf([sent], "s"), toOcsf(sent), rows, logged, entry];
}

async function collected(iterable: AsyncIterable<{ personal?: unknown }>): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const { personal } of iterable) found.push(personal);
  return found;
}

describe("a person", () => {
  test("is nowhere in the clear: not in the log, the index, the keys, a sink, a tail, a page", async () => {
    await using t = await testTrail();
    const sent: SinkEvent[] = [];
    const sink = {
      name: "mirror",
      send: async (batch: readonly SinkEvent[]) => (sent.push(...batch), { rejected: 0 }),
      async [Symbol.asyncDispose]() {},
    };
    const deliveries = await t.trail.forward(sink);
    const ended = new AbortController();
    const tail = t.trail.tail({ kind: "call", signal: ended.signal });
    const first = tail.next();
    for (let n = 0; n < 300; n += 1) {
      t.trail.record({}, event("call", { userId: ALICE, personal: { ip: "203.0.113.9" } }));
    }
    await Promise.all(deliveries.map((delivery) => delivery.drained()));
    const page = await t.trail.query({ limit: 1_000 });
    const tailed = await first;
    ended.abort();
    await tail.return();
    const exported = await Promise.all(sent.map(exportsOf));
    const seen =
      JSON.stringify([sent, exported, page, tailed, await t.texts("activity")]) +
      (await bytesBelow(t.directory));
    expect(sent.length).toBeGreaterThan(300);
    expect(page.events.length).toBeGreaterThan(300);
    expect(seen).not.toContain("alice");
    expect(seen).not.toContain("203.0.113.9");
  });

  test("is found and read again while the key exists, and never after", async () => {
    await using t = await testTrail();
    for (const userId of [ALICE, "bob"]) {
      for (let n = 0; n < 3; n += 1) t.trail.record({}, event("call", { userId }));
    }
    const before = await t.trail.erasure.exportPerson(ALICE, REQUEST);
    if (!before.allowed) throw new Error(before.reason);
    const personal = { userId: ALICE };
    expect((await collected(before.value)).filter(Boolean)).toEqual([personal, personal, personal]);

    const stored = await t.texts("activity");
    const erased = await t.trail.erasure.erase(ALICE, REQUEST);
    if (!erased.allowed) throw new Error(erased.reason);
    // Every entry is as it was, so that every proof is.
    expect(await t.texts("activity")).toEqual(stored);
    expect(await t.trail.erasure.exportPerson(ALICE, REQUEST)).toRefuse("AUDITOR_PERSON_UNKNOWN");
    const revealed = await t.trail.erasure.revealEvents({ kind: "call" }, REQUEST);
    if (!revealed.allowed) throw new Error(revealed.reason);
    const names = revealed.value.events.map((found) => found.personal?.["userId"]);
    expect(names).toEqual(["bob", "bob", "bob", undefined, undefined, undefined]);
    expect(await readdir(join(t.directory, "keys", "keys"))).toHaveLength(1);
    expect(await readdir(join(t.directory, "keys", "people"))).toHaveLength(1);
  });

  test("is erased with a record that says who, why and which key, and not whom", async () => {
    await using t = await testTrail();
    t.trail.record({}, event("call", { userId: ALICE }));
    const erased = await t.trail.erasure.erase(ALICE, REQUEST);
    if (!erased.allowed) throw new Error(erased.reason);
    const { subject, keyFingerprint } = erased.value;
    const records = (await t.events()).filter(({ kind }) => kind === "erasure");
    expect(records).toEqual([
      expect.objectContaining({
        rule: "erasure.begin",
        subject,
        actor: "operator:dpo",
        success: true,
      }),
      expect.objectContaining({
        rule: "erasure.end",
        subject,
        actor: "operator:dpo",
        success: true,
      }),
    ]);
    expect(records[0]?.details).toEqual({ keyFingerprint, reason: REQUEST.reason });
    expect((await t.texts()).join("\n")).not.toContain("alice");
  });

  test("who comes back has another pseudonym, which nothing ties to the old one", async () => {
    await using t = await testTrail();
    t.trail.record({}, event("call", { userId: ALICE }));
    await t.trail.erasure.erase(ALICE, REQUEST);
    t.trail.record({}, event("call", { userId: ALICE }));
    const [old, young] = await t.events("activity");
    expect(young?.subject).toMatch(/^[\w-]{22}$/);
    expect(young?.subject).not.toBe(old?.subject);
    expect(young?.enc).not.toEqual(old?.enc);
  });

  test("under a legal hold is not erased until it is lifted", async () => {
    await using t = await testTrail();
    t.trail.record({}, event("call", { userId: ALICE }));
    const subject = (await t.events("activity"))[0]?.subject ?? "";
    const hold = await t.trail.retention.placeHold({ subject }, "case 7");
    if (!hold.allowed) throw new Error(hold.reason);
    expect(await t.trail.erasure.erase(ALICE, REQUEST)).toRefuse("AUDITOR_HELD");
    await t.trail.retention.liftHold(hold.value.id, "case closed");
    expect(await t.trail.erasure.erase(ALICE, REQUEST)).toMatchObject({ allowed: true });
  });

  test("of whom nothing is kept cannot be erased", async () => {
    await using t = await testTrail();
    expect(await t.trail.erasure.erase("nobody", REQUEST)).toRefuse("AUDITOR_PERSON_UNKNOWN");
  });
});

describe("the key", () => {
  test("is destroyed in every copy of the store as well", async () => {
    await using t = await testTrail();
    t.trail.record({}, event("call", { userId: ALICE }));
    const event0 = (await t.events("activity"))[0];
    const subject = event0?.subject ?? "";
    await t.keys.obtain(ALICE).durable;
    const [store, backup] = [join(t.directory, "keys"), join(t.directory, "backup")];
    await cp(store, backup, { recursive: true });
    const keys = await openSubjectKeyFiles({ directory: store, copies: [backup] });
    expect((await keys.condemn(ALICE))?.subject).toBe(subject);
    await keys.destroy(subject);
    await using restored = await openSubjectKeyFiles({ directory: backup });
    expect(restored.find(ALICE)).toBeUndefined();
    expect(restored.findSubject(subject)).toBeUndefined();
    expect(await readdir(join(backup, "keys"))).toEqual([]);
  });

  test("stays condemned while a copy cannot be reached, and is destroyed when it can", async () => {
    await using t = await testTrail();
    t.trail.record({}, event("call", { userId: ALICE }));
    await t.keys.obtain(ALICE).durable;
    const [store, backup] = [join(t.directory, "keys"), join(t.directory, "backup")];
    const keys = await openSubjectKeyFiles({ directory: store, copies: [backup] });
    const condemned = await keys.condemn(ALICE);
    const subject = condemned?.subject ?? "";
    await expect(keys.destroy(subject)).rejects.toThrowCode("AUDITOR_SUBJECT_KEYS");
    expect(await keys.condemned()).toEqual([condemned]);
    expect(keys.find(ALICE)).toBeUndefined();
    await cp(store, backup, { recursive: true });
    await keys.destroy(subject);
    expect(await keys.condemned()).toEqual([]);
  });

  test("is overwritten before its name goes: another name of the file shows nothing", async () => {
    await using t = await testTrail();
    t.trail.record({}, event("call", { userId: ALICE }));
    const { subject, durable } = t.keys.obtain(ALICE);
    await durable;
    const [path, second] = [
      join(t.directory, "keys", "keys", subject),
      join(t.directory, "second"),
    ];
    await link(path, second);
    const before = await readFile(second);
    await t.trail.erasure.erase(ALICE, REQUEST);
    const after = await readFile(second);
    expect(after).toHaveLength(before.length);
    for (let at = 0; at + 8 <= before.length; at += 8) {
      expect(after.includes(before.subarray(at, at + 8))).toBe(false);
    }
  });

  test("condemned by a process that died is destroyed, and recorded, by the next", async () => {
    await using t = await testTrail();
    t.trail.record({}, event("call", { userId: ALICE }));
    const condemned = await t.keys.condemn(ALICE);
    await t.trail.close();
    const next = await t.reopen();
    expect(await t.keys.condemned()).toEqual([]);
    const records = (await t.events()).filter(({ kind }) => kind === "erasure");
    expect(records.map(({ rule }) => rule)).toEqual(["erasure.begin", "erasure.end"]);
    expect(records[0]?.subject).toBe(condemned?.subject);
    await next.close();
  });

  test("is not destroyed when the log does not take the record of it", async () => {
    await using t = await testTrail();
    t.trail.record({}, event("call", { userId: ALICE }));
    await t.keys.obtain(ALICE).durable;
    const security = t.logs.get("security");
    if (security === undefined) throw new Error("no log");
    security.tryAppend = () => ({
      allowed: false,
      code: "AUDITOR_POISONED",
      rule: "audit.log",
      reason: "disk",
    });
    expect(await t.trail.erasure.erase(ALICE, REQUEST)).toRefuse("AUDITOR_POISONED");
    expect(await t.keys.condemned()).toHaveLength(1);
  });

  test("must be durable before an event of that person is", async () => {
    await using t = await testTrail();
    const decision = t.trail.record({}, event("call", { userId: "carol" }));
    if (!decision.allowed) throw new Error(decision.reason);
    await decision.value.durable;
    await using again = await openSubjectKeyFiles({ directory: join(t.directory, "keys") });
    expect(again.find("carol")?.subject).toBe((await t.events("activity"))[0]?.subject);
  });
});

test("reading in the clear is recorded before anything is read", async () => {
  await using t = await testTrail();
  t.trail.record({}, event("call", { userId: ALICE }));
  await t.trail.erasure.exportPerson(ALICE, { reason: "GDPR 15", actor: "operator:dpo" });
  await t.trail.erasure.revealEvents({}, { reason: "incident 3", actor: "operator:eve" });
  const records = (await t.events()).filter(({ kind }) => kind === "export");
  expect(records.map(({ rule, actor }) => [rule, actor])).toEqual([
    ["export.person", "operator:dpo"],
    ["export.plaintext", "operator:eve"],
  ]);
});

test("without keys persons stand in the clear, and what is more than an id is refused", async () => {
  await using t = await testTrail({ withoutKeys: true });
  expect(t.trail.record({}, event("call", { userId: "u1" })).allowed).toBe(true);
  const personal = { email: "a@b" };
  expect(t.trail.record({}, event("call", { userId: "u1", personal }))).toRefuse(
    "AUDITOR_EVENT_INVALID",
  );
  expect((await t.events("activity"))[0]?.userId).toBe("u1");
  expect(await t.trail.erasure.erase("u1", REQUEST)).toRefuse("AUDITOR_PERSON_UNKNOWN");
});

test.each([[""], ["\ud800"], ["x".repeat(1_025)], [7 as unknown as string]])(
  "refuses the person %j, and makes no key",
  async (userId) => {
    await using t = await testTrail();
    expect(t.trail.record({}, event("call", { userId }))).toRefuse("AUDITOR_EVENT_INVALID");
    expect(await readdir(join(t.directory, "keys", "keys"))).toEqual([]);
  },
);

test("a personal field without a person is refused", async () => {
  await using t = await testTrail();
  const decision = t.trail.record({}, event("call", { personal: { ip: "203.0.113.9" } }));
  expect(decision).toRefuse("AUDITOR_EVENT_INVALID");
});
