import { spawn } from "node:child_process";
import { once } from "node:events";

import { openResidentMemory } from "@glovebox/linux";
import { expect, it } from "vitest";

/** What the tests allocate, held to the end: a collection between two readings would hide what is measured. */
const held: Buffer[] = [];

it.runIf(process.platform === "linux")("reads what is resident in another process", () => {
  using memory = openResidentMemory(process.pid);
  const before = memory.readBytes();
  expect(before).toBeGreaterThan(10 * 2 ** 20);
  held.push(Buffer.alloc(64 * 2 ** 20, 1));
  expect(memory.readBytes() - before).toBeGreaterThan(32 * 2 ** 20);
});

it.runIf(process.platform === "linux")("reads what data another process has mapped", () => {
  using memory = openResidentMemory(process.pid);
  const before = memory.readDataBytes();
  held.push(Buffer.alloc(64 * 2 ** 20)); // mapped, and not resident
  // The engine may give other memory back meanwhile, but not as much.
  expect(memory.readDataBytes() - before).toBeGreaterThan(32 * 2 ** 20);
});

it.runIf(process.platform === "linux")("answers 0 once the process is gone", async () => {
  const child = spawn("sleep", ["60"]);
  await once(child, "spawn");
  using memory = openResidentMemory(child.pid ?? 0);
  expect(memory.readBytes()).toBeGreaterThan(0);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(memory.readBytes()).toBe(0);
  expect(memory.readDataBytes()).toBe(0);
  memory[Symbol.dispose]();
  expect(memory.readBytes()).toBe(0);
});

it("says which process it cannot read", () => {
  expect(() => openResidentMemory(2 ** 30)).toThrow(
    expect.objectContaining({ code: "LINUX_PROC_UNREADABLE" }),
  );
});
