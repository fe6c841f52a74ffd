/**
 * @module Input that makes an honest plugin trap at once, many times (threats:
 * cheap-trap-drains-tenant): its tenant is charged the CPU time that was spent, and never what the
 * calls had left.
 */
import { expect, test } from "vitest";

import { ECHO, flatPlugin, openRuntime, TRAP } from "../open-runtime.ts";

const MAX = 40_000_000;
const capabilities = { resources: { max_instructions: MAX } };
/** Room for two calls that use all that they may. */
const instructionBudgets = { tenant: { capacity: 2 * MAX, perSecond: 1 } };
const SPIN = "(loop $again (br $again)) unreachable";
const wasm = flatPlugin({ trap: TRAP, spin: SPIN, fine: ECHO });

test("traps leave a tenant its budget", async () => {
  await using host = await openRuntime({ resources: { instructionBudgets } });
  await host.load({ id: "traps", wasm, capabilities });
  for (let round = 0; round < 10; round++) {
    const outcome = await host.runtime.executePluginFunction(
      "traps",
      "trap",
      { tenantId: "acme" },
      "x",
    );
    expect(outcome).toMatchObject({
      error: { code: "SANDBOX_TRAP" },
      usage: { instructionsExact: false },
    });
    expect(outcome.usage.instructions).toBeLessThan(MAX);
    // Failures in a row would be answered with quarantine.
    expect(await host.call("traps", "fine", "x", { tenantId: "acme" })).toBe("x");
  }
});

test("what is used up is gone, for this tenant and nobody else", async () => {
  await using host = await openRuntime({ resources: { instructionBudgets } });
  await host.load({ id: "spins", wasm, capabilities });
  const spin = (tenantId: string) => host.call("spins", "spin", "x", { tenantId });
  expect(await spin("acme")).toBe("SANDBOX_INSTRUCTION_LIMIT");
  expect(await spin("acme")).toBe("SANDBOX_INSTRUCTION_LIMIT");
  expect(await spin("acme")).toBe("LIMITER_BUDGET");
  expect(await spin("other")).toBe("SANDBOX_INSTRUCTION_LIMIT");
  const { tenant, ...others } = host.runtime.instructionUse("spins", "acme");
  expect(others).toEqual({});
  expect(tenant?.used).toBeGreaterThanOrEqual(2 * MAX);
  expect(tenant?.remaining).toBeLessThan(MAX);
  expect(tenant?.reserved).toBe(0);
  expect(host.runtime.instructionUse("spins", "nobody")).toEqual({});
});
