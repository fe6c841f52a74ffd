/**
 * A runner looks for descriptors that it was not given: a lock or a log that whoever started the host
 * left open, the host's own files and sockets, other runners (CWE-403). It has its socket, a pipe for
 * its last words, and what its own Node has made.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, it } from "vitest";

import { unavailableLayer } from "../support/outer-layers.ts";

const HOST = new URL("../support/spinning-host.mjs", import.meta.url).pathname;
/** Node closes low ones by itself. */
const LEFT_OPEN = 200;

it.for(["bubblewrap", "landlock", "none"] as const)(
  "finds nothing that it was not given, behind %s",
  async (layer, context) => {
    const reason = await unavailableLayer(layer);
    if (reason !== undefined) context.skip(reason);
    const folder = await mkdtemp(join(tmpdir(), "left-open-"));
    const secret = openSync(join(folder, "secret"), "w+");
    const between = Array.from({ length: LEFT_OPEN - 3 }, () => "ignore" as const);
    const host = spawn(process.execPath, [HOST, layer], {
      stdio: ["ignore", "pipe", "inherit", ...between, secret],
    });
    try {
      const [line] = (await once(host.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
      const runners = (JSON.parse(String(line)) as number[]).filter((pid) =>
        readFileSync(`/proc/${pid}/cmdline`, "latin1").startsWith(process.execPath),
      );
      expect(readlinkSync(`/proc/${host.pid}/fd/${LEFT_OPEN}`)).toBe(join(folder, "secret"));
      expect(runners.length).toBeGreaterThan(1);
      for (const pid of runners) {
        const names = new Map(
          readdirSync(`/proc/${pid}/fd`).map((name) => [
            Number(name),
            readlinkSync(`/proc/${pid}/fd/${name}`),
          ]),
        );
        const own = [...names].filter(([descriptor]) => descriptor > 2).map(([, name]) => name);
        const strange = own.filter((name) => !/^(?:anon_inode:|pipe:|\/dev\/null$)/.test(name));
        expect(strange).toEqual([]);
        expect(names.get(0)).toMatch(/^socket:/);
        expect(names.get(1)).toBe(names.get(0));
      }
    } finally {
      host.kill("SIGKILL");
      closeSync(secret);
      await rm(folder, { recursive: true });
    }
  },
);
