/**
 * A runner that is taken over would write files, open descriptors, fork, leave a core file with what
 * it knew, or compute for ever (CWE-770): the kernel's limits hold without its host, and cannot be
 * raised again.
 */
import { readFile } from "node:fs/promises";

import { createSandbox } from "@glovebox/sandbox";
import { expect, it } from "vitest";

import { flatPlugin } from "../support/fixtures.ts";
import { openPlugin } from "../support/open-plugin.ts";

it.for([
  ["Max cpu time", "600"],
  ["Max file size", "0"],
  ["Max core file size", "0"],
  ["Max processes", "0"],
  ["Max open files", "0"],
] as const)("%s is %s", async ([limit, value], context) => {
  await using sandbox = await createSandbox({ poolSize: 0, minimumIsolation: "none" });
  const { isolation } = sandbox.status();
  if (isolation !== "strict") context.skip(`runners reach ${isolation} here`);
  await using open = await openPlugin(flatPlugin());
  const [pid] = open.plugin.status().pids;
  const lines = (await readFile(`/proc/${pid}/limits`, "utf8")).split("\n");
  const [soft, hard] =
    lines
      .find((line) => line.startsWith(limit))
      ?.slice(limit.length)
      .trim()
      .split(/\s+/) ?? [];
  expect([soft, hard]).toEqual([value, value]);
});
