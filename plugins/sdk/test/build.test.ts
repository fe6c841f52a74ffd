/** @module What the build of a plugin says to somebody who writes a first one. */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { expect, test } from "vitest";

test("without plugin.yaml it says so, and leaves nothing", async () => {
  const folder = await mkdtemp(join(tmpdir(), "plugin-build-"));
  try {
    const build = join(import.meta.dirname, "../build.mjs");
    const ended = promisify(execFile)(process.execPath, [build], { cwd: folder });
    await expect(ended).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^There is no plugin\.yaml in \S+: [^\n]+\n$/),
    });
    expect(await readdir(folder)).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
