/** @module Commands that write to a log which a host writes to: they say so, and change nothing. */
import { join } from "node:path";

import { openAuditor } from "@glovebox/auditor";
import { pluginDirectory } from "@glovebox/testkit";
import { expect, test } from "vitest";

import { runHere } from "../in-process.ts";

test.each([
  ["hold place", ["--class", "activity"]],
  ["hold lift", ["an-id"]],
  ["prune", ["--days", "activity=0"]],
  ["rewrap", []],
  ["erase", ["alice"]],
  ["export", ["alice"]],
])("audit %s asks to stop the host", async (command, more) => {
  await using files = await pluginDirectory({});
  const directory = join(files.path, "audit");
  await using auditor = await openAuditor({ directory });
  const before = auditor.logs.get("security")?.state().nextIndex;
  const why = ["--reason", "case 7", "--operator", "dpo"];
  const ran = await runHere("audit", ...command.split(" "), directory, ...more, ...why);
  expect(ran).toMatchObject({ exit: 1, out: "" });
  expect(ran.firstError).toMatch(/^AUDITOR_LOCKED: .*Stop the host that runs on it/);
  expect(auditor.logs.get("security")?.state().nextIndex).toBe(before);
});
