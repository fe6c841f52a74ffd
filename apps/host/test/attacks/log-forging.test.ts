/**
 * CWE-117, CWE-150 (threats.md: log-forging): text of a plugin in the commands that show a log. The
 * other media are in packages/auditor/test/attacks/log-forging.test.ts.
 */
import { join } from "node:path";

import { openAuditor } from "@glovebox/auditor";
import { pluginDirectory } from "@glovebox/testkit";
import { expect, test } from "vitest";

import { runHere } from "../in-process.ts";

const HOSTILE =
  'a\nb\r\u0000\u001b[2J\u007f\u0085\u009b31m\u2028\u2029\u202e\u2066\ufeff{"kind":"operator"}';
const ACTS = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\ufeff]/u;
const WHY = ["--reason", HOSTILE, "--operator", "dpo"];

test("is one line that does nothing, whichever command shows it", async () => {
  await using files = await pluginDirectory({});
  const directory = join(files.path, "audit");
  const auditor = await openAuditor({ directory });
  const scope = { pluginId: HOSTILE, callId: HOSTILE } as unknown as Parameters<
    typeof auditor.record
  >[0];
  const details = { [HOSTILE]: HOSTILE };
  for (const userId of [undefined, HOSTILE]) {
    const person = userId === undefined ? {} : { userId, personal: { name: HOSTILE } };
    auditor.record(scope, { kind: "deny", success: false, error: HOSTILE, details, ...person });
  }
  await auditor.close();
  const shown = [
    ["query", directory, "--kind", "deny"],
    ["query", directory, "--kind", "deny", "--json"],
    ["export", directory, HOSTILE, ...WHY],
    ["export", directory, "--plaintext", "--kind", "deny", ...WHY],
    ["hold", "place", directory, "--person", HOSTILE, ...WHY],
    ["hold", "list", directory],
    ["prune", directory, ...WHY],
  ];
  for (const args of shown) {
    const { exit, out, err } = await runHere("audit", ...args);
    expect([args[0], exit]).toEqual([args[0], 0]);
    for (const line of `${out}${err}`.split("\n")) expect(line).not.toMatch(ACTS);
  }
  const query = await runHere("audit", "query", directory, "--kind", "deny");
  expect(query.out.trimEnd().split("\n")).toHaveLength(2);
  const gone = await runHere("audit", "hold", "lift", directory, HOSTILE, ...WHY);
  expect(gone.err.trimEnd()).not.toMatch(ACTS);
});
