import { PassThrough, Writable } from "node:stream";
import { text } from "node:stream/consumers";

import { EVENT_KINDS } from "@glovebox/auditor";
import { pino } from "pino";
import { describe, expect, test } from "vitest";

import { createJsonLinesSink } from "#src/sinks/json-lines";
import { createLoggerSink } from "#src/sinks/logger";
import { toOcsf } from "#src/sinks/ocsf";

import { HOSTILE, NEVER, sentEvent, TIME } from "./sent-event.ts";

describe("JSON lines", () => {
  test("are one line per event, the same value, and nothing that acts on a terminal", async () => {
    const stream = new PassThrough();
    const sink = createJsonLinesSink({ stream });
    const sent = [
      sentEvent({ error: HOSTILE, details: { [HOSTILE]: HOSTILE } }, 1, HOSTILE),
      sentEvent({}, 2),
    ];
    await sink.send(sent, NEVER);
    await sink[Symbol.asyncDispose]();
    const lines = (await text(stream)).split("\n");
    expect(lines).toHaveLength(3);
    expect(lines.join("")).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\ufeff]/u);
    expect(lines.slice(0, 2).map((line) => JSON.parse(line) as unknown)).toEqual(
      sent.map(({ origin, class: kept, index, event }) => ({ origin, class: kept, index, event })),
    );
  });

  test("wait for a slow stream instead of filling memory", async () => {
    let taken = 0;
    const resume: (() => void)[] = [];
    const stream = new Writable({
      highWaterMark: 1,
      write(chunk: Buffer, _, done) {
        taken += chunk.length;
        resume.push(done);
      },
    });
    const sink = createJsonLinesSink({ stream });
    let isSent = false;
    const sending = sink.send([sentEvent()], NEVER).then(() => (isSent = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(isSent).toBe(false);
    resume[0]?.();
    await sending;
    expect(taken).toBeGreaterThan(0);
  });

  test("reject once the stream has failed", async () => {
    const stream = new Writable({ write: (_, __, done) => done(new Error("EPIPE")) });
    const sink = createJsonLinesSink({ stream });
    await sink.send([sentEvent()], NEVER).catch(() => undefined);
    await expect.poll(() => stream.errored?.message).toBe("EPIPE");
    await expect(sink.send([sentEvent()], NEVER)).rejects.toThrow("EPIPE");
    await sink[Symbol.asyncDispose]();
  });
});

describe("OCSF", () => {
  test.each(Object.keys(EVENT_KINDS))(
    "has a class with what it requires for the kind %s",
    (kind) => {
      const base = sentEvent({}, 9, "rate-table");
      const ocsf = toOcsf({
        ...base,
        event: { ...base.event, kind: kind as keyof typeof EVENT_KINDS },
      });
      expect(ocsf).toMatchObject({
        category_uid: Math.floor(ocsf.class_uid / 1_000),
        type_uid: ocsf.class_uid * 100 + ocsf.activity_id,
        time: TIME,
        status_id: 2,
        metadata: {
          version: "1.3.0",
          uid: "host.example/security/9",
          product: { name: "Glovebox" },
        },
        raw_data: base.json,
      });
      const required = { 6002: "app", 6003: "api", 3004: "entity", 2004: "finding_info" }[
        ocsf.class_uid
      ];
      expect(Object.keys(ocsf)).toContain(required);
    },
  );

  test("goes through the lines that JSON goes through", async () => {
    const stream = new PassThrough();
    const sink = createJsonLinesSink({ stream, map: toOcsf, name: "ocsf" });
    const sent = sentEvent({ error: HOSTILE });
    await sink.send([sent], NEVER);
    await sink[Symbol.asyncDispose]();
    const line = await text(stream);
    expect(line.match(/\n/g)).toHaveLength(1);
    expect(JSON.parse(line)).toMatchObject({ class_uid: 6003, status_detail: HOSTILE });
  });
});

test("a logger gets each event at a level that follows from its kind, and no text that acts", async () => {
  const stream = new PassThrough();
  const logger = pino({ base: null }, stream);
  const sink = createLoggerSink({ logger });
  await sink.send(
    [sentEvent({ success: true }), sentEvent({ error: HOSTILE }), sentEvent({ kind: "violation" })],
    NEVER,
  );
  await sink[Symbol.asyncDispose]();
  stream.end();
  const lines = (await text(stream)).trimEnd().split("\n");
  expect(lines.map((line) => (JSON.parse(line) as { level: number }).level)).toEqual([30, 40, 50]);
  expect(lines.join("")).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\ufeff]/u);
});
