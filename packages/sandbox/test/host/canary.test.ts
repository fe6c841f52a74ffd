/** What a level rests on: take one proof away, and the level is lost (invariant I2). */
import { createSandbox, type IsolationLevel } from "@glovebox/sandbox";
import { beforeAll, expect, it } from "vitest";
import "@glovebox/testkit/matchers";

import { layersOf, levelOf, missingFor } from "../../src/isolation-level.ts";
import { flatPlugin } from "../support/fixtures.ts";
import { lyingRunner, program } from "../support/hostile-runner.ts";
import { loadPlugin } from "../support/open-plugin.ts";

const HELLO = 32;
const ALL = {
  files: true,
  processes: true,
  threads: true,
  filtered: true,
  failing: true,
  confined: false,
  refused: false,
  policy: true,
  fatal: true,
  unprivileged: true,
};

let notHere: string | undefined;
beforeAll(async () => {
  const isolation = await provenBy(undefined);
  if (isolation !== "strict") notHere = `runners reach ${isolation} here`;
});

async function provenBy(runnerProgram: string | undefined): Promise<IsolationLevel> {
  await using sandbox = await createSandbox(
    { poolSize: 0, minimumIsolation: "none", outerLayer: "none" },
    runnerProgram === undefined ? {} : { runnerProgram },
  );
  return sandbox.status().isolation;
}

it.for([
  [
    "a call was made that must fail",
    `{ attempts: { ...canary.attempts, openat: 3 } }`,
    "permission",
  ],
  ["a call was not tried", `{ attempts: { ...canary.attempts, clone: undefined } }`, "permission"],
  ["another program was loaded", `{ program: canary.program.slice(0, -12) }`, "hardened"],
] as const)("is lower where %s", async ([_name, lie, expected], context) => {
  if (notHere !== undefined) {
    context.skip(notHere);
    return;
  }
  const said = `(({ canary }) => ({ ...content, canary: { ...canary, ...${lie} } }))(content)`;
  await using liar = await lyingRunner(HELLO, said, "canary");
  expect(await provenBy(liar.path)).toBe(expected);
});

it("is lower where the canary ends in another way than by its forbidden call", async (context) => {
  if (notHere !== undefined) {
    context.skip(notHere);
    return;
  }
  await using other = await program(`
    const fs = require("node:fs");
    const read = fs.readSync;
    // It is told to make its call when the host has seen what it wants to.
    fs.readSync = (...args) => {
      const bytes = read(...args);
      return process.argv[3] === "canary" ? process.abort() : bytes;
    };`);
  expect(await provenBy(other.path)).toBe("hardened");
});

it("believes the kernel and not the runner", async (context) => {
  if (notHere !== undefined || process.getBuiltinModule("node:ffi") === undefined) {
    context.skip(notHere ?? "koffi is used here");
    return;
  }
  const withoutFfi = `
    const builtin = process.getBuiltinModule;
    process.getBuiltinModule = (name) => (name === "node:ffi" ? undefined : builtin(name));`;
  await using honest = await program(withoutFfi);
  expect(await provenBy(honest.path)).toBe("permission");
  const lie = `({ ...content, unfiltered: undefined })`;
  await using liar = await lyingRunner(HELLO, lie, "plugin", withoutFfi);
  await using sandbox = await createSandbox(
    { poolSize: 0, minimumIsolation: "permission", outerLayer: "none" },
    { runnerProgram: liar.path },
  );
  expect(sandbox.status().isolation).toBe("permission");
  await loadPlugin(sandbox, flatPlugin());
  await expect(createSandbox({ poolSize: 0 }, { runnerProgram: liar.path })).rejects.toThrowCode(
    "SANDBOX_ISOLATION",
  );
});

it("asks every level for what those below it ask", () => {
  expect(levelOf(ALL)).toBe("strict");
  const cases: [keyof typeof ALL, IsolationLevel][] = [
    ["files", "none"],
    ["processes", "none"],
    ["threads", "none"],
    ["filtered", "permission"],
    ["failing", "permission"],
    ["policy", "hardened"],
    ["fatal", "hardened"],
    ["unprivileged", "hardened"],
  ];
  for (const [name, level] of cases) {
    expect(levelOf({ ...ALL, [name]: false })).toBe(level);
    expect(missingFor("strict", { ...ALL, [name]: false })).toEqual([name]);
  }
  expect(missingFor("permission", { ...ALL, filtered: false })).toEqual([]);
});

it("takes an outer layer that was shown in place of the filter, for all but the highest level", () => {
  const without = { ...ALL, filtered: false, failing: false };
  expect(levelOf(without)).toBe("permission");
  expect(levelOf({ ...without, confined: true })).toBe("permission");
  expect(levelOf({ ...without, refused: true })).toBe("permission");
  expect(levelOf({ ...without, confined: true, refused: true })).toBe("hardened");
  expect(missingFor("strict", { ...without, confined: true, refused: true })).toEqual([
    "filtered",
    "failing",
  ]);
  expect(layersOf({ ...ALL, confined: true, refused: true }, "landlock")).toEqual([
    "landlock",
    "seccomp",
    "permission",
  ]);
  expect(layersOf({ ...ALL, confined: true }, "landlock")).toEqual(["seccomp", "permission"]);
});

it("leaves runners the host's user where the options say so, and says what that costs", async (context) => {
  if (notHere !== undefined || process.getuid?.() !== 0) {
    context.skip(notHere ?? "not root");
    return;
  }
  await using same = await createSandbox({
    poolSize: 0,
    minimumIsolation: "none",
    runnerUser: "host",
  });
  expect(same.status().isolation).toBe("hardened");
});
