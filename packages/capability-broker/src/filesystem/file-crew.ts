/**
 * @module The file workers of one broker: each host directory belongs to one of a few, so that a
 * disk which does not answer holds up its own directories and no others.
 */
import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";

import type { Clock } from "@glovebox/core/clock";
import { locateKoffi } from "@glovebox/linux";

import type { RootPlace, WorkerSetup } from "../disk/protocol.ts";
import { FILE_OPERATION_TIMEOUT_MS, FILE_WORKER_HEAP_MIB, MAX_FILE_WORKERS } from "../limits.ts";
import { type FileLane, createFileLane } from "./file-lane.ts";
import { type KnownAccounts, createKnownAccounts } from "./file-quotas.ts";

/** How file work is done. */
export interface FileWorkSettings {
  /** `openat2` where kernel and Node.js have it, or always the component walk. Default: `openat2`. */
  readonly opener?: "openat2" | "walk";
  /** Milliseconds for one operation. Default: 10,000. */
  readonly operationTimeoutMs?: number;
  /** Where temporary roots are made. Default: the system's directory for temporary files. */
  readonly temporaryDirectory: string;
}

/** Starts the thread that does file work. */
export type SpawnFileWorker = (setup: WorkerSetup) => Worker;

/** The workers. */
export interface FileCrew {
  /** What lies below the directories, as far as it was counted. */
  readonly accounts: KnownAccounts;
  laneOf(root: RootPlace): FileLane;
  close(): Promise<void>;
}

/** No worker yet. */
export function createFileCrew(
  settings: FileWorkSettings,
  deps: { readonly clock: Clock; readonly spawnFileWorker: SpawnFileWorker },
): FileCrew {
  const { opener = "openat2", operationTimeoutMs = FILE_OPERATION_TIMEOUT_MS } = settings;
  const lanes: FileLane[] = [];
  const lanesByRoot = new Map<string, FileLane>();
  const idKey = randomBytes(32);
  const accounts = createKnownAccounts();

  function nextLane(): FileLane {
    const known = lanes[lanesByRoot.size % MAX_FILE_WORKERS];
    if (known !== undefined) return known;
    const lane = createFileLane({
      clock: deps.clock,
      timeoutMs: operationTimeoutMs,
      spawn: deps.spawnFileWorker,
      onAccounts: (totals) => accounts.tell(totals),
      setup: {
        opener,
        idKey,
        koffiEntry: locateKoffi()?.entry,
        temporaryDirectory: settings.temporaryDirectory,
      },
    });
    lanes.push(lane);
    return lane;
  }

  return {
    accounts,
    laneOf(root) {
      // All temporary roots lie on one disk.
      const key = root.kind === "host" ? root.path : "temporary";
      let lane = lanesByRoot.get(key);
      if (lane === undefined) {
        lane = nextLane();
        lanesByRoot.set(key, lane);
      }
      return lane;
    },
    async close() {
      await Promise.all(lanes.map((lane) => lane.close()));
    },
  };
}

/** The real thread: from source while this file is source, else as built. */
export function spawnFileWorker(workerData: WorkerSetup): Worker {
  const isSource = import.meta.url.endsWith(".ts");
  const program = isSource
    ? new URL("../disk/worker.ts", import.meta.url)
    : createRequire(import.meta.url).resolve("#file-worker");
  return new Worker(program, {
    workerData,
    execArgv: isSource ? ["--conditions=@glovebox/source", "--no-warnings"] : ["--no-warnings"],
    env: {},
    // What it leaves open is closed through `kept`.
    trackUnmanagedFds: false,
    resourceLimits: { maxOldGenerationSizeMb: FILE_WORKER_HEAP_MIB },
  });
}
