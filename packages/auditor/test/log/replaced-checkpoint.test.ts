/** @module A reader opens a checkpoint while its writer puts the next one in its place. */
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { nodeFileSystem } from "../../src/log/file-system.ts";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "glovebox-checkpoint-"));
});
afterAll(() => rm(directory, { recursive: true }));

test("reads one of the two, and never a file without a name", async () => {
  const path = join(directory, "checkpoint");
  await writeFile(path, "0", { mode: 0o600 });
  for (let round = 1; round <= 300; round += 1) {
    await writeFile(`${path}.next`, String(round), { mode: 0o600 });
    const opening = Array.from({ length: 8 }, () => nodeFileSystem.open(path, "read"));
    await rename(`${path}.next`, path);
    for (const file of await Promise.all(opening)) {
      const text = await file?.read(0, 8);
      expect([round - 1, round]).toContain(Number(text));
      await file?.close();
    }
  }
});
