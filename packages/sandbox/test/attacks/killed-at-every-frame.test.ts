/** A runner dies at every boundary between two frames: each step ends with one coded error, nothing hangs. */
import { allow } from "@glovebox/core/decision";
import { createSandbox } from "@glovebox/sandbox";
import { callScope, memoryHostServices } from "@glovebox/testkit";
import { expect, it } from "vitest";

import { dyingRunner } from "../support/hostile-runner.ts";
import { loadPlugin } from "../support/open-plugin.ts";

const PLUGIN = `(module
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "var_get" (func $var_get (param i64) (result i64)))
  (func (export "ask") (result i32) (drop (call $var_get (call $alloc (i64.const 8)))) (i32.const 0)))`;

/** HELLO, and a read and a write for each of: CONFIGURE, VALIDATE, LOAD + INSTANTIATE, CALL with a host call, CALL. */
const OPERATIONS = 14;
const EXPECTED = ["SANDBOX_BOOT_FAILED", "SANDBOX_RUNNER_LOST", "SANDBOX_NOT_STARTED"];

it.each(Array.from({ length: OPERATIONS }, (_, at) => at + 1))(
  "survives the death after operation %i",
  async (operations) => {
    await using dying = await dyingRunner(operations);
    await using sandbox = await createSandbox({ poolSize: 0 }, { runnerProgram: dying.path });
    const services = memoryHostServices({
      variables: { get: async () => allow("test", Uint8Array.of(1)) },
    });
    expect(EXPECTED).toContain(await attempt(sandbox, services));
    await expect.poll(() => sandbox.status().runners.live).toBe(0);
  },
);

/** Loads and calls twice at a time until something fails; answers the code. */
async function attempt(
  sandbox: Parameters<typeof loadPlugin>[0],
  services: ReturnType<typeof memoryHostServices>,
): Promise<string> {
  try {
    const plugin = await loadPlugin(sandbox, PLUGIN, { abi: "extism", services });
    for (let round = 0; round < OPERATIONS; round++) {
      const outcomes = await Promise.all([
        plugin.call(callScope(), "ask", new Uint8Array(0)),
        plugin.call(callScope(), "ask", new Uint8Array(0)),
      ]);
      const codes = outcomes.map((outcome) => (outcome.ok ? "survived" : outcome.error.code));
      if (codes.every((code) => code === "survived")) continue;
      await plugin.kill("done");
      // After a death the call behind it was not started; a finished one keeps its answer.
      return codes[0] === "survived" || codes[1] === "SANDBOX_NOT_STARTED"
        ? String(codes.find((code) => code !== "survived"))
        : codes.join();
    }
    return "survived";
  } catch (error) {
    return (error as { code: string }).code;
  }
}
