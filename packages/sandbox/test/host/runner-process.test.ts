import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, it } from "vitest";

import { startRunnerProcess } from "../../src/host/runner-process.ts";
import { openSocketPairFactory } from "../../src/host/socket-pair.ts";
import { MAX_STDERR_CHARACTERS } from "../../src/limits.ts";

it("reads all that a process writes to standard error, and keeps little of it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "loud-"));
  const program = join(folder, "runner.cjs");
  await writeFile(program, `require("node:fs").writeSync(2, "last words ".repeat(100_000))`);
  const pairs = await openSocketPairFactory();
  try {
    const { hostEnd, runnerEnd } = await pairs.create({
      buffer: new Uint8Array(1024),
      callback: () => true,
    });
    const loud = startRunnerProcess(runnerEnd, "plugin", program);
    expect(await loud.ended).toEqual({ exitCode: 0, signal: null });
    expect(loud.lastWords().length).toBeGreaterThan(MAX_STDERR_CHARACTERS - 20);
    expect(loud.lastWords().length).toBeLessThanOrEqual(MAX_STDERR_CHARACTERS);
    hostEnd.destroy();
  } finally {
    await pairs.close();
    await rm(folder, { recursive: true });
  }
});
