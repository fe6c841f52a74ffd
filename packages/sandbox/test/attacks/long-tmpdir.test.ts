/** A TMPDIR longer than a socket path must not keep the sandbox from starting. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, expect, it, vi } from "vitest";

import { flatPlugin } from "../support/fixtures.ts";
import { openPlugin, textOf } from "../support/open-plugin.ts";

afterEach(() => vi.unstubAllEnvs());

it.skipIf(process.platform !== "linux")(
  "starts below a folder with a name of 200 characters",
  async () => {
    const root = await mkdtemp(join(tmpdir(), "long-"));
    const long = join(root, "x".repeat(200));
    await mkdir(long);
    vi.stubEnv("TMPDIR", long);
    try {
      await using open = await openPlugin(flatPlugin());
      expect(textOf(await open.call("echo", "hello"))).toBe("hello");
    } finally {
      await rm(root, { recursive: true });
    }
  },
);
