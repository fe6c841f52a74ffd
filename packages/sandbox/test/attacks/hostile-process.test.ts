/** A plugin has taken over its process and speaks to the host as it likes (CWE-20, CWE-400, CWE-770). */
import { expect, it } from "vitest";

import { flatPlugin } from "../support/fixtures.ts";
import { hostileRunner } from "../support/hostile-runner.ts";
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
  ["another protocol version", `send(frame(REPLY, callId, "", 0, 0, 2))`],
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
  ["a host call of an unknown kind", `send(frame(HOST_CALL, callId, "", 99))`],
  [
    "a host call whose parts do not add up",
    `send(frame(HOST_CALL, callId, "\\xff\\xff\\xff\\xff", 2))`,
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

it("takes half a frame as the end of the process, not as an answer", async () => {
  await using hostile = await hostileRunner(
    `send(frame(REPLY, callId, "complete").subarray(0, 15)); process.kill(process.pid, "SIGKILL"); block()`,
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
