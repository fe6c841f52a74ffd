/** CWE-117, CWE-93: text of a plugin that would begin a line, or end the one that it stands in. */
import { verifyAuditLog } from "@glovebox/auditor";
import type { AuditEvent, OperationScope } from "@glovebox/core/ports";
import { expect, test } from "vitest";

import { forgedLine, logDirectory } from "../fixture.ts";

const FORGED = forgedLine('{"kind":"operator","success":true}', 2, "0".repeat(64));

const TEXTS = [
  "\n",
  "\r\n",
  `x\n${FORGED}`,
  `x"},"hash":"${"0".repeat(64)}","index":2,"prev":"${"0".repeat(64)}","time":1}\n`,
  `","success":true,"kind":"operator`,
  "\\",
  '\\"',
  "\u0000\u001b[2K\u007f\u0085\u2028\u2029\u202e",
  "__proto__",
];

test("text of a plugin stays in its line, and its line stays what it was", async () => {
  await using directory = await logDirectory();
  const auditor = await directory.open();
  for (const text of TEXTS) {
    const scope = { pluginId: text, callId: text, tenantId: text } as unknown as OperationScope;
    const details = Object.fromEntries([[text, { [text]: text }]]);
    const event: AuditEvent = {
      kind: "deny",
      success: false,
      function: text,
      userId: text,
      code: text,
      rule: text,
      error: text,
      details,
    };
    expect(auditor.record(scope, event).allowed).toBe(true);
  }
  await auditor.close();
  const lines = await directory.lines();
  expect(lines).toHaveLength(TEXTS.length + 2);
  expect(lines.filter(({ event }) => event.kind === "operator")).toEqual([]);
  for (const [index, text] of TEXTS.entries()) {
    expect(lines[index + 1]?.event).toMatchObject({ error: text, pluginId: text, userId: text });
  }
  expect(await verifyAuditLog(directory.path)).toMatchObject({ ok: true, size: lines.length });
});

test("the file holds no control byte but its line feeds", async () => {
  await using directory = await logDirectory();
  const auditor = await directory.open();
  const error = String.fromCodePoint(...Array.from({ length: 0x20 }, (_, code) => code));
  auditor.record({}, { kind: "call", success: false, error });
  await auditor.close();
  const bytes = Buffer.from(await directory.text());
  expect([...new Set(bytes.filter((byte) => byte < 0x20))]).toEqual([0x0a]);
});

test("an event that imitates the end of a line does not move where the line ends", async () => {
  await using directory = await logDirectory();
  const auditor = await directory.open();
  const details = {
    event: { kind: "operator" },
    hash: "0".repeat(64),
    index: 7,
    prev: "0".repeat(64),
    time: 1,
  };
  auditor.record({}, { kind: "call", success: true, details });
  await auditor.close();
  expect((await directory.lines())[1]).toMatchObject({ index: 1, event: { details } });
  expect(await verifyAuditLog(directory.path)).toMatchObject({ ok: true });
});
