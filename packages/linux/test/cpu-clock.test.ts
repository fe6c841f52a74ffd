import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";

import { openCpuClock } from "@glovebox/linux";
import { beforeEach, expect, test } from "vitest";

import { notHere } from "./child.ts";

beforeEach((context) => {
  if (notHere !== undefined) context.skip(notHere);
});

test("follows the CPU time of a process that spins, and keeps its last value", async () => {
  const child = await start(`for (;;);`);
  using clock = openCpuClock(pidOf(child));
  const first = clock.readMs();
  await expect.poll(() => clock.readMs(), { timeout: 10_000 }).toBeGreaterThan(first + 5);
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
  const last = clock.readMs();
  expect(last).toBeGreaterThan(first + 5);
  expect(clock.readMs()).toBe(last);
});

test("does not count the time in which a process sleeps", async () => {
  const child = await start(`Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)`);
  using clock = openCpuClock(pidOf(child));
  const sleeping = clock.readMs();
  // Meanwhile this process works; the child may have a rest of its start to do.
  const own = process.cpuUsage();
  while (process.cpuUsage(own).user < 300_000);
  expect(clock.readMs() - sleeping).toBeLessThan(200);
  child.kill("SIGKILL");
});

test("lacks nothing of a process that is stopped, and knows that it is", async () => {
  const child = await start(`process.title = "x) T 1"; for (;;);`);
  using clock = openCpuClock(pidOf(child));
  expect(clock.isStopped()).toBe(false);
  child.kill("SIGSTOP");
  await expect.poll(() => clock.isStopped()).toBe(true);
  const stopped = clock.readMs();
  // Meanwhile this process works, through more than one tick.
  const own = process.cpuUsage();
  while (process.cpuUsage(own).user < 50_000);
  expect(clock.readMs()).toBe(stopped);
  child.kill("SIGCONT");
  await expect.poll(() => clock.isStopped()).toBe(false);
  await expect.poll(() => clock.readMs()).toBeGreaterThan(stopped);
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
  expect(clock.isStopped()).toBe(true);
});

test("keeps its last value when it is closed, and closes its descriptor once", async () => {
  const child = await start(`for (;;);`);
  const before = descriptors();
  const clock = openCpuClock(pidOf(child));
  expect(descriptors()).toBe(before + 1);
  const last = clock.readMs();
  clock[Symbol.dispose]();
  expect(descriptors()).toBe(before);
  clock[Symbol.dispose]();
  expect(clock.readMs()).toBe(last);
  child.kill("SIGKILL");
});

test("refuses a process that does not exist", () => {
  // Above the largest number that the kernel gives to a process (PID_MAX_LIMIT, 2 to the 22nd).
  expect(() => openCpuClock(2 ** 22 + 1)).toThrow(
    expect.objectContaining({ code: "LINUX_PROC_UNREADABLE" }),
  );
});

/** A process that has said something, and then runs `program`. */
async function start(program: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ["-e", `process.stdout.write("up\\n");${program}`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  return child;
}

function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error("the child did not start");
  return pid;
}

function descriptors(): number {
  return readdirSync("/proc/self/fd").length;
}
