/**
 * Whoever makes a host open descriptors takes its last but one while a runner is started (CWE-400,
 * CWE-773): the kernel connects it, and libuv drops the other end without a word. Whoever went on
 * waiting for it would take the next runner's connection, and that one the next: none started any more,
 * and each process was at the end of another runner's.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

import { expect, it } from "vitest";

import { unavailableLayer } from "../support/outer-layers.ts";

const HOST = new URL("../support/crowded-host.mjs", import.meta.url).pathname;

it.for(["bubblewrap", "landlock", "none"] as const)(
  "starts runners again once there are descriptors, behind %s",
  { timeout: 40_000 },
  async (layer, context) => {
    const reason = await unavailableLayer(layer);
    if (reason !== undefined) context.skip(reason);
    const args = ["-c", 'ulimit -n 400; exec "$0" "$@"', process.execPath, HOST, layer];
    const host = spawn("/bin/sh", args, { stdio: ["ignore", "pipe", "inherit"] });
    const timer = setTimeout(() => host.kill("SIGKILL"), 30_000);
    const [told] = await Promise.all([text(host.stdout), once(host, "exit")]);
    clearTimeout(timer);
    expect(JSON.parse(told || "null")).toEqual({
      dropped: expect.stringContaining("dropped before it was accepted"),
      after: ["started", "started"],
    });
  },
);
