/** A process that was taken over writes to standard error for ever (CWE-400, CWE-779). */
import { expect, it } from "vitest";

import { flatPlugin } from "../support/fixtures.ts";
import { hostileRunner } from "../support/hostile-runner.ts";
import { codeOf, openPlugin, textOf } from "../support/open-plugin.ts";

it("closes standard error at its bound: the flood ends there and the host does not read it", async () => {
  await using hostile = await hostileRunner(`
    fs.writeSync = write;
    const text = Buffer.alloc(1 << 16, "x");
    let written = 0;
    // Before Node 26 it does not block: full is not closed.
    const flood = () => { try { return write(2, text); } catch (error) { if (error.code === "EAGAIN") return 0; throw error; } };
    try { for (;;) written += flood(); }
    catch (error) { write(0, frame(REPLY, callId, error.code + " " + (written < 1 << 20))); }
    block()`);
  await using open = await openPlugin(flatPlugin(), { deps: { runnerProgram: hostile.path } });
  const outcome = await open.call("echo");
  expect(textOf(outcome)).toMatch(/^(EPIPE|ECONNRESET) true$/);
});

it("answers the call although nobody read the flood to its end", async () => {
  await using hostile = await hostileRunner(
    `fs.writeSync = write; try { for (;;) write(2, "y".repeat(100_000)); } finally { process.reallyExit(1); }`,
  );
  await using open = await openPlugin(flatPlugin(), { deps: { runnerProgram: hostile.path } });
  const outcome = await open.call("echo");
  expect(codeOf(outcome)).toBe("SANDBOX_RUNNER_LOST");
  await expect.poll(() => open.sandbox.status().runners.live).toBe(0);
});
