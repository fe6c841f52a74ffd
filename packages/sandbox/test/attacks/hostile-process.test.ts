/** A plugin has taken over its process and speaks to the host as it likes (CWE-20, CWE-400, CWE-770). */
import { memoryHostServices } from "@glovebox/testkit";
import { expect, it } from "vitest";

import { flatPlugin } from "../support/fixtures.ts";
import { hostileRunner, lyingRunner } from "../support/hostile-runner.ts";
import { codeOf, loadPlugin, openPlugin, textOf } from "../support/open-plugin.ts";

const FRAMES: readonly (readonly [string, string])[] = [
  ["garbage", `send(Buffer.from("GET / HTTP/1.1\\r\\n\\r\\n".repeat(10)))`],
  ["zeros", `send(Buffer.alloc(5000))`],
  ["a length of 4 GiB", `send(frame(REPLY, callId, "", 0, 0xffffffff))`],
  ["a length just above the limit", `send(frame(REPLY, callId, "", 0, (1 << 20) + 1))`],
  ["a forged call id", `send(frame(REPLY, callId + 1, "stolen"))`],
  ["an old call id", `send(frame(REPLY, callId - 1, "stolen"))`],
  ["an unknown type", `send(frame(77, callId, ""))`],
  ["a frame of the host's side", `send(frame(5, callId, ""))`],
  ["another protocol version", `send(frame(REPLY, callId, "", 0, 0, 99))`],
  ["a second HELLO", `send(frame(32, 0, "{}"))`],
  ["DONE for a call", `send(frame(33, callId, "{}"))`],
  ["a failure that is no JSON", `send(frame(FAILURE, callId, "{"))`],
  [
    "a failure with a code of the host",
    `send(frame(FAILURE, callId, JSON.stringify({ code: "SANDBOX_NOT_STARTED", message: "" })))`,
  ],
  [
    "a failure with a code of nobody",
    `send(frame(FAILURE, callId, JSON.stringify({ code: "__proto__", message: "" })))`,
  ],
  ["a chunk without bytes", `send(frame(CHUNK, callId, ""))`],
  ["chunks of two calls", `send(frame(CHUNK, callId, "a")); send(frame(REPLY, callId + 1, "b"))`],
  [
    "a chunk of another call",
    `send(frame(CHUNK, callId + 1, "a")); send(frame(REPLY, callId, "b"))`,
  ],
  ["a host call of an unknown kind", `send(frame(HOST_CALL, callId, "", 99))`],
  [
    "a host call whose parts do not add up",
    `send(frame(HOST_CALL, callId, "\\xff\\xff\\xff\\xff", 2))`,
  ],
  [
    "a log entry of a level that is none",
    `send(frame(HOST_CALL, callId, "\\x01\\x00\\x00\\x00\\x09\\x00\\x00\\x00\\x00", 4))`,
  ],
  [
    "a host function that was not offered",
    `send(frame(HOST_CALL, callId, "\\x01\\x00\\x00\\x007", 5))`,
  ],
];

it.each(FRAMES)(
  "ends a process that sends %s: one coded error, the others go on",
  async (_name, onCall) => {
    await using hostile = await hostileRunner(
      `if (process.argv[3] !== "canary") { ${onCall}; block(); }`,
      1,
    );
    await using open = await openPlugin(flatPlugin(), { deps: { runnerProgram: hostile.path } });
    const other = await loadPlugin(open.sandbox, flatPlugin());
    const [pid = 0] = open.plugin.status().pids;
    expect(codeOf(await open.call("echo", "attacked"))).toBe("SANDBOX_PROTOCOL");
    expect(other.status().runners).toBe(1);
    await expect.poll(() => isAlive(pid)).toBe(false);
  },
);

it.each(["{ functions: [1] }", "{ functions: new Array(65_536).fill('f') }"])(
  "loads no plugin whose process lists its functions as %s",
  async (lie) => {
    await using hostile = await lyingRunner(33, `content.functions ? ${lie} : content`);
    await expect(
      openPlugin(flatPlugin(), { deps: { runnerProgram: hostile.path } }),
    ).rejects.toMatchObject({ code: "SANDBOX_PROTOCOL" });
  },
);

it("does not blame the call behind one whose failure is forged", async () => {
  await using hostile = await hostileRunner(`send(frame(FAILURE, callId, "{")); block()`);
  await using open = await openPlugin(flatPlugin(), { deps: { runnerProgram: hostile.path } });
  const [first, second] = await Promise.all([open.call("echo", "a"), open.call("echo", "b")]);
  expect(codeOf(first)).toBe("SANDBOX_PROTOCOL");
  expect(codeOf(second)).toBe("SANDBOX_NOT_STARTED");
});

it("does nothing that a process asked for before it was killed", async () => {
  await using hostile = await hostileRunner(`send(frame(HOST_CALL, callId, "key", 1)); block()`);
  let asked = 0;
  const get = (): Promise<never> => {
    asked += 1;
    return new Promise(() => undefined);
  };
  await using open = await openPlugin(flatPlugin(), {
    deps: { runnerProgram: hostile.path },
    services: memoryHostServices({ variables: { get } }),
  });
  const call = open.call("echo", "x");
  await new Promise<void>((resolve) => process.nextTick(resolve)); // the CALL leaves
  const until = performance.now() + 100;
  while (performance.now() < until); // its host call arrives, and nobody reads it yet
  await open.plugin.kill("the operator ends it");
  expect(codeOf(await call)).toBe("SANDBOX_ABORTED");
  expect(asked).toBe(0);
});

it("accepts no answer that is larger than the caller allows", async () => {
  await using hostile = await hostileRunner(`send(frame(REPLY, callId, "x".repeat(101))); block()`);
  await using open = await openPlugin(flatPlugin(), {
    deps: { runnerProgram: hostile.path },
    limits: { outputBytes: 100 },
  });
  expect(codeOf(await open.call("echo", "x"))).toBe("SANDBOX_PROTOCOL");
});

it("takes half a frame as the end of the process, not as an answer", async () => {
  await using hostile = await hostileRunner(
    `send(frame(REPLY, callId, "complete").subarray(0, 23)); process.abort()`,
  );
  await using open = await openPlugin(flatPlugin(), { deps: { runnerProgram: hostile.path } });
  expect(codeOf(await open.call("echo", "x"))).toBe("SANDBOX_RUNNER_LOST");
});

it("does not grow when chunks never end", async () => {
  await using hostile = await hostileRunner(
    `for (;;) send(frame(CHUNK, callId, "x".repeat(1 << 20)))`,
  );
  await using open = await openPlugin(flatPlugin(), {
    deps: { runnerProgram: hostile.path },
    limits: { outputBytes: 4 * 2 ** 20 },
  });
  const before = process.memoryUsage().arrayBuffers;
  expect(codeOf(await open.call("echo", "x"))).toBe("SANDBOX_PROTOCOL");
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 2 ** 20);
});

it("gives a caller its own answer after another call was attacked", async () => {
  await using hostile = await hostileRunner(
    `send(frame(REPLY, callId + 1, "for the next caller")); block()`,
    2,
  );
  await using open = await openPlugin(flatPlugin(), { deps: { runnerProgram: hostile.path } });
  const [first, second, third] = await Promise.all([
    open.call("echo", "first"),
    open.call("echo", "second"),
    open.call("echo", "third"),
  ]);
  expect(textOf(first)).toBe("first");
  expect(codeOf(second)).toBe("SANDBOX_PROTOCOL");
  expect(codeOf(third)).toBe("SANDBOX_NOT_STARTED");
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
