/** Hundreds of calls of a megabyte wait for a spinning runner (CWE-770). */
import { expect, it } from "vitest";

import { flatPlugin } from "../support/fixtures.ts";
import { codeOf, openPlugin } from "../support/open-plugin.ts";

it("refuses what does not fit into the queue, at once and safe to retry", async () => {
  await using open = await openPlugin(flatPlugin(), { limits: { cpuMs: 300 } });
  const before = process.memoryUsage().arrayBuffers;
  const input = new Uint8Array(1_000_000);
  const spinning = open.call("spin");
  const outcomes = await Promise.all(Array.from({ length: 300 }, () => open.call("echo", input)));
  const codes = new Map<string, number>();
  for (const outcome of outcomes) codes.set(codeOf(outcome), (codes.get(codeOf(outcome)) ?? 0) + 1);
  expect(codeOf(await spinning)).toBe("SANDBOX_CPU_LIMIT");
  expect([...codes.keys()].toSorted()).toEqual(["SANDBOX_NOT_STARTED", "SANDBOX_QUEUE_FULL"]);
  expect(codes.get("SANDBOX_NOT_STARTED")).toBeLessThan(20);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 2 ** 20);
});

it("bounds the number of waiting calls too", async () => {
  await using open = await openPlugin(flatPlugin(), { limits: { cpuMs: 300 } });
  const calls = [open.call("spin"), ...Array.from({ length: 3_000 }, () => open.call("echo", "x"))];
  const full = (await Promise.all(calls)).filter(
    (outcome) => codeOf(outcome) === "SANDBOX_QUEUE_FULL",
  );
  expect(full.length).toBe(3_001 - 1_024);
});

it("bounds what waits for a process that is still being started", async () => {
  await using open = await openPlugin(flatPlugin());
  await open.plugin.sleep();
  const small = await Promise.all(Array.from({ length: 3_000 }, () => open.call("echo", "x")));
  const refused = small.filter((outcome) => !outcome.ok);
  expect(refused.map(codeOf).every((code) => code === "SANDBOX_QUEUE_FULL")).toBe(true);
  expect(refused.length).toBe(3_000 - 1_024);
  await open.plugin.sleep();
  const input = new Uint8Array(1_000_000);
  const large = await Promise.all(Array.from({ length: 100 }, () => open.call("echo", input)));
  // The plugin has no room for a megabyte; what counts here is who waited.
  const full = large.filter((outcome) => codeOf(outcome) === "SANDBOX_QUEUE_FULL");
  expect(full.length).toBe(100 - 16);
});
