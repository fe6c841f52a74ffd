/**
 * CWE-117, CWE-93, CWE-1236 (threats.md: log-forging): text of a plugin that would begin an entry, or end
 * the one that it stands in; in the log, and in every medium that it leaves it for. The terminal is in
 * apps/host/test/attacks/log-forging.test.ts.
 */
import { PassThrough } from "node:stream";
import { text as textOf } from "node:stream/consumers";

import { verifyAuditLog } from "@glovebox/auditor";
import { encodeCsvField } from "@glovebox/core/encode";
import type { AuditEvent, OperationScope } from "@glovebox/core/ports";
import { expect, test } from "vitest";

import { createJsonLinesSink } from "#src/sinks/json-lines";
import { createLoggerSink } from "#src/sinks/logger";
import { toOcsf } from "#src/sinks/ocsf";
import type { SinkEvent } from "#src/sinks/sink";
import { messageOf } from "#src/sinks/syslog";

import { eventsOf, kindsOf, logDirectory } from "../fixture.ts";
import { HOSTILE, NEVER, sentEvent } from "../sinks/sent-event.ts";

const TEXTS = [
  "\n",
  "\r\n",
  'x"}\n{"kind":"operator","success":true,"time":1,"v":1}',
  '","success":true,"kind":"operator',
  "\\",
  '\\"',
  "\u0000\u001b[2K\u007f\u0085\u2028\u2029\u202e",
  "\u0000\u0010GBF1",
  "__proto__",
];

test("text of a plugin stays in its entry, and its entry stays what it was", async () => {
  await using directory = await logDirectory();
  const auditor = await directory.open();
  for (const text of TEXTS) {
    const scope = { pluginId: text, callId: text, tenantId: text } as unknown as OperationScope;
    const details = Object.fromEntries([[text, { [text]: text }]]);
    const event: AuditEvent = {
      kind: "deny",
      success: false,
      function: text,
      code: text,
      rule: text,
      error: text,
      details,
    };
    expect(auditor.record(scope, event).allowed).toBe(true);
  }
  await auditor.close();
  const events = await eventsOf(directory);
  expect(events).toHaveLength(TEXTS.length + 2);
  expect(await kindsOf(directory)).not.toContain("operator");
  for (const [index, text] of TEXTS.entries()) {
    expect(events[index + 1]).toMatchObject({ error: text, pluginId: text });
  }
  expect(await verifyAuditLog(directory.path)).toMatchObject({ ok: true, size: events.length });
});

/** Begins a line, acts on a terminal, or changes the order in which text is shown. */
const ACTS = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\ufeff]/u;

const HOSTILE_EVENTS: readonly SinkEvent[] = [...TEXTS, HOSTILE, "=cmd|' /C calc'!A0"].map((text) =>
  sentEvent(
    { function: text, code: text, rule: text, error: text, details: { [text]: text } },
    1,
    text,
  ),
);

const MEDIA: Readonly<Record<string, (event: SinkEvent) => Promise<string>>> = {
  syslog: async (event) => messageOf(event, "host.example", 13).replace("\ufeff", ""),
  "JSON lines": (event) => lineOf(event),
  OCSF: (event) => lineOf(event, toOcsf),
  async logger(event) {
    const lines: string[] = [];
    const log = (fields: object, message: string) =>
      lines.push(JSON.stringify({ ...fields, message }));
    await createLoggerSink({ logger: { info: log, warn: log, error: log } }).send([event], NEVER);
    return lines.join("\n");
  },
};

async function lineOf(event: SinkEvent, map?: (sent: SinkEvent) => unknown): Promise<string> {
  const stream = new PassThrough();
  const sink = createJsonLinesSink({ stream, ...(map === undefined ? {} : { map }) });
  await sink.send([event], NEVER);
  await sink[Symbol.asyncDispose]();
  return (await textOf(stream)).slice(0, -1);
}

test.each(Object.entries(MEDIA))("stays one line that does nothing in %s", async (_, write) => {
  for (const sent of HOSTILE_EVENTS) expect(await write(sent)).not.toMatch(ACTS);
});

test("stays one field of one record of comma-separated values, and no formula", () => {
  for (const { event, json } of HOSTILE_EVENTS) {
    const fields = [event.pluginId, event.code, event.error, json].map((value) => value ?? "");
    const record = fields.map(encodeCsvField).join(",");
    const read = [...record.matchAll(/"((?:[^"]|"")*)"(?:,|$)/g)].map(([, field = ""]) =>
      field.replaceAll('""', '"'),
    );
    expect(
      read.map((field, at) => field.replace(/^'(?=[=+\-@\t\r\s])/, "") === fields[at]),
    ).toEqual(fields.map(() => true));
    for (const field of read) expect(field.trimStart()).not.toMatch(/^[=+@]/);
  }
});
