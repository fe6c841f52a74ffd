/** The README says which system calls a locked runner makes and which fail; the table must not say more. */
import { readFile } from "node:fs/promises";

import { expect, it } from "vitest";

import { runnerCalls } from "../../src/lockdown/syscall-policy.ts";

const PID = 4711;

it("lets nothing through but what the README names", async () => {
  const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
  const [, made = "", failing = ""] =
    /calls are made \((.+?)\).+?fails with EPERM: (.+?)\.\n/s.exec(readme) ?? [];
  const named = (text: string): string[] => [...text.matchAll(/`(\w+)`/g)].map(([, call]) => call!);
  const rules = runnerCalls(PID);
  const answered = (answer: string): string[] =>
    rules.filter((rule) => rule.answer === answer).map(({ call }) => call);
  expect(answered("allow").toSorted()).toEqual(named(made).toSorted());
  expect([...answered("EPERM"), ...answered("zero")].toSorted()).toEqual(named(failing).toSorted());
  expect(rules.filter(({ allowedWhere }) => allowedWhere)).toEqual([
    { call: "tgkill", answer: "EPERM", allowedWhere: { argument: 0, equals: PID } },
    { call: "setrlimit", answer: "kill", allowedWhere: { argument: 0, equals: 2 } },
  ]);
});
