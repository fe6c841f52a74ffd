import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, it } from "vitest";

import { startRunnerProcess } from "../../src/host/runner-process.ts";
import { openSocketPairFactory } from "../../src/host/socket-pair.ts";
import { MAX_STDERR_CHARACTERS } from "../../src/limits.ts";

/** Runs a program as a runner, and answers what it wrote to standard error when it has ended. */
async function lastWordsOf(program: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "runner-"));
  const path = join(folder, "runner.cjs");
  await writeFile(path, program);
  const pairs = await openSocketPairFactory();
  try {
    const { hostEnd, runnerEnd } = await pairs.create({
      buffer: new Uint8Array(1024),
      callback: () => true,
    });
    const started = startRunnerProcess(runnerEnd, "plugin", { program: path });
    await started.ended;
    hostEnd.destroy();
    return started.lastWords();
  } finally {
    await pairs.close();
    await rm(folder, { recursive: true });
  }
}

it("gives a process nothing of the host's environment, and the permission model", async () => {
  const words = await lastWordsOf(`console.error(JSON.stringify([
    Object.keys(process.env), process.cwd(), process.permission.has("fs.write"),
    process.permission.has("fs.read", "/etc/hostname"), process.permission.has("child"),
  ]))`);
  expect(JSON.parse(words)).toEqual([
    ["OPENSSL_CONF", "MALLOC_ARENA_MAX"],
    "/",
    false,
    false,
    false,
  ]);
});

it("reads all that a process writes to standard error, and keeps little of it", async () => {
  const words = await lastWordsOf(`require("node:fs").writeSync(2, "last words ".repeat(100_000))`);
  expect(words.length).toBeGreaterThan(MAX_STDERR_CHARACTERS - 20);
  expect(words.length).toBeLessThanOrEqual(MAX_STDERR_CHARACTERS);
});
