/** CWE-117, CWE-93: text of a plugin that would begin an entry, or end the one that it stands in. */
import { verifyAuditLog } from "@glovebox/auditor";
import type { AuditEvent, OperationScope } from "@glovebox/core/ports";
import { expect, test } from "vitest";

import { eventsOf, kindsOf, logDirectory } from "../fixture.ts";

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
