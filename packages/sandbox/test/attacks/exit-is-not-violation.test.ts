/** A runner can end for many reasons: none of them is an attack by itself, and each is one coded error. */
import { callScope } from "@glovebox/testkit";
import { expect, it } from "vitest";

import { flatPlugin } from "../support/fixtures.ts";
import { hostileRunner } from "../support/hostile-runner.ts";
import { codeOf, openPlugin, textOf } from "../support/open-plugin.ts";

it.each([
  ["it exits", `process.reallyExit(0)`, "SANDBOX_RUNNER_LOST"],
  ["it makes a call that is forbidden", `process.umask(0)`, "SANDBOX_RUNNER_LOST"],
  ["it aborts", `process.abort()`, "SANDBOX_RUNNER_LOST"],
  [
    "its heap is full",
    `const kept = []; for (;;) kept.push(new Array(10_000).fill(Math.random()))`,
    "SANDBOX_MEMORY_LIMIT",
  ],
])("answers the running call when %s", async (_name, onCall, code) => {
  await using hostile = await hostileRunner(onCall);
  await using open = await openPlugin(flatPlugin(), { deps: { runnerProgram: hostile.path } });
  const [running, waiting] = await Promise.all([open.call("echo", "a"), open.call("echo", "b")]);
  expect(codeOf(running)).toBe(code);
  expect(codeOf(waiting)).toBe("SANDBOX_NOT_STARTED");
});

it("keeps what a dying process says within bounds and out of the public message", async () => {
  await using hostile = await hostileRunner(
    `fs.writeSync = write; write(2, "\\x1b[31mlast words\\n".repeat(10_000)); process.reallyExit(3)`,
  );
  await using open = await openPlugin(flatPlugin(), { deps: { runnerProgram: hostile.path } });
  const outcome = await open.call("echo");
  if (outcome.ok) throw new Error("the call succeeded");
  expect(outcome.error.message.length).toBeLessThanOrEqual(2_000);
  expect(outcome.error.message).not.toContain("\x1b");
  expect(outcome.error.publicMessage).toBe("the plugin's process ended during the call");
});

it("ends all processes on close, and answers what still runs", async () => {
  const open = await openPlugin(flatPlugin());
  const spinning = open.call("spin");
  await open.sandbox.close();
  expect(codeOf(await spinning)).toBe("SANDBOX_CLOSED");
  expect(open.sandbox.status().runners.live).toBe(0);
});

it("lets a caller abort its call, and only its own", async () => {
  await using open = await openPlugin(flatPlugin());
  const scope = callScope();
  const spinning = open.plugin.call(scope, "spin", new Uint8Array(0));
  const waiting = open.call("echo", "not started");
  scope.controller.abort();
  expect(codeOf(await spinning)).toBe("SANDBOX_ABORTED");
  expect(codeOf(await waiting)).toBe("SANDBOX_NOT_STARTED");
  expect(textOf(await open.call("echo", "next"))).toBe("next");
});
