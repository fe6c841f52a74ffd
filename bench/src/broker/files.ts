/**
 * @module What the checks of a file cost inside the file worker, and apart from that what it costs
 * to get there from the host's thread and back.
 */
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";

import { createBroker } from "@glovebox/capability-broker";
import { newCallId, parsePluginId } from "@glovebox/core/ids";
import { recordingDecisionLog } from "@glovebox/testkit";

import { median, medianLatency } from "../measure.ts";
import type { BenchReport } from "../report.ts";
import type { FileFigures } from "./file-peer.ts";

const CROSSINGS = 5_000;

/** Compares with plain `node:fs` in the same thread. */
export async function files(): Promise<Pick<BenchReport, "ratios" | "targets" | "notes">> {
  const host = mkdtempSync(join(tmpdir(), "bench-files-"));
  try {
    mkdirSync(join(host, "a/b"), { recursive: true });
    writeFileSync(join(host, "a/b/f.json"), Buffer.alloc(65_536, "x"));
    const worker = new Worker(new URL("./file-peer.js", import.meta.url), {
      workerData: host,
      trackUnmanagedFds: false,
    });
    const [{ plain, walk, openat2 }] = (await once(worker, "message")) as [FileFigures];
    const over = (figures: readonly number[]): number => median(figures) / median(plain);
    return {
      ratios: {
        file_walk_vs_fs: over(walk),
        ...(openat2.length === 0 ? {} : { file_openat2_vs_fs: over(openat2) }),
        file_plain_us: median(plain),
        file_crossing_us: (await crossingMs(host)) * 1_000,
      },
      targets: { file_walk_vs_fs: ["le", 2], file_openat2_vs_fs: ["le", 1.2] },
      notes: [
        "files: inside one thread, synchronous, depth 3, warm: open, checks, 64 KiB into a fresh zeroed buffer, close; each operation timed by itself, in turns",
        "file_crossing_us: one question about an open file from the host's thread to the worker and back, p50",
        openat2.length === 0 ? "openat2: neither node:ffi nor koffi here" : "openat2: measured",
      ],
    };
  } finally {
    rmSync(host, { recursive: true });
  }
}

async function crossingMs(host: string): Promise<number> {
  const root = { guest: "/data", host, allowRead: true, allowWrite: false };
  const policy = { filesystem: { roots: [root] } };
  const broker = createBroker({ log: recordingDecisionLog(), policy });
  try {
    const pluginId = parsePluginId("bench");
    if (!pluginId.allowed) throw new Error(pluginId.reason);
    const filesystem = { allowRead: true, allowWrite: false, allowedPaths: ["/data"] };
    const grant = broker.grant(pluginId.value, { filesystem });
    if (!grant.allowed) throw new Error(grant.reason);
    const scope = {
      pluginId: pluginId.value,
      callId: newCallId(),
      signal: new AbortController().signal,
      meter: { add: () => undefined },
    };
    const opened = await broker
      .files(grant.value)
      .open(scope, "/data/a/b/f.json", new Set(["read"]));
    if (!opened.allowed) throw new Error(opened.reason);
    await using file = opened.value;
    return await medianLatency(CROSSINGS, () => file.stat());
  } finally {
    await broker.close();
  }
}
