/** @module Where a call's instructions come from, and where their count goes. */
import { expect, test } from "vitest";

import { ECHO, flatPlugin, openRuntime, SPIN } from "../open-runtime.ts";

const wasm = flatPlugin({ echo: ECHO, spin: SPIN });

test("the count reaches the reply, the audit log and the metrics", async () => {
  await using host = await openRuntime();
  await host.load({ id: "counted", wasm });
  const { usage } = await host.runtime.executePluginFunction("counted", "echo", {}, "x");
  expect(usage.instructionsExact).toBe(true);
  expect(usage.instructions).toBeGreaterThan(0);
  const { instructions } = usage;
  const end = (await host.events()).find(({ resourceUsage }) => resourceUsage !== undefined);
  expect(end?.resourceUsage).toMatchObject({ instructions, instructionsExact: true });
  expect(host.runtime.metricsText()).toContain(
    `glovebox_plugin_instructions_total{plugin="counted"} ${instructions}`,
  );
});

test("equal calls have equal counts, also after a reload from the cache", async () => {
  await using host = await openRuntime();
  const count = async (): Promise<number | null> =>
    (await host.runtime.executePluginFunction("same", "echo", {}, "x")).usage.instructions;
  await host.load({ id: "same", wasm });
  const first = await count();
  expect(await count()).toBe(first);
  await host.load({ id: "same", version: "1.0.1", wasm });
  expect(await count()).toBe(first);
});

test("a plugin that asks for none has the host's default, and nobody has more", async () => {
  await using host = await openRuntime({ resources: { defaultInstructionLimit: 1_000 } });
  await host.load({ id: "default", wasm });
  const capabilities = { resources: { max_instructions: 1_000_000 } };
  await host.load({ id: "greedy", wasm, capabilities });
  for (const id of ["default", "greedy"]) {
    const outcome = await host.runtime.executePluginFunction(id, "spin", {}, "x");
    expect(outcome).toMatchObject({ error: { details: { maxInstructions: 1_000 } } });
  }
});

test("with a policy of its own, a host gives a plugin what it asks for", async () => {
  await using host = await openRuntime({ policy: { resources: { maxInstructions: 1_000_000 } } });
  const capabilities = { resources: { max_instructions: 5_000 } };
  await host.load({ id: "modest", wasm, capabilities });
  const outcome = await host.runtime.executePluginFunction("modest", "spin", {}, "x");
  expect(outcome).toMatchObject({ error: { details: { maxInstructions: 5_000 } } });
});
