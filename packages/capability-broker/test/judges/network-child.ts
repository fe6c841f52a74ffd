/** @module Judges one case in a process of its own and prints the verdict as JSON. */
import { readFile } from "node:fs/promises";

import { createTestAuthority, type IssuedCertificate } from "@glovebox/testkit/servers";

import type { ChildTask } from "./network-environment.ts";
import { openNetworkJudge } from "./network.ts";

const task = JSON.parse(await readFile(process.argv[2] ?? "", "utf8")) as ChildTask;
const identity = JSON.parse(
  await readFile(`${task.attackerFile}.json`, "utf8"),
) as IssuedCertificate;
await using suite = await openNetworkJudge(
  { ...createTestAuthority("Attacker"), issue: () => identity },
  true,
);
const { signal } = new AbortController();
const verdict = await suite.judge(task.testCase, { file: task.file, signal });
process.stdout.write(JSON.stringify(verdict));
