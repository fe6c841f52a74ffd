/**
 * @module A thread that does file work as the broker's own does, and beside it the same with plain
 * `node:fs`: open, look, read 64 KiB, close, three folders deep, warm. Every operation is timed by
 * itself and they take turns one by one, so that a busy machine slows all alike.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";

import { loadFileCalls } from "@glovebox/linux/files";

// The figures are of code that no door exports.
// @boundaries-ignore the bench measures what the door does not show
import { keepDescriptors } from "../../../packages/capability-broker/src/disk/kept-descriptors.ts";
// @boundaries-ignore the bench measures what the door does not show
import {
  closeFile,
  openFile,
  readAt,
} from "../../../packages/capability-broker/src/disk/open-file.ts";
// @boundaries-ignore the bench measures what the door does not show
import type { OpenRequest } from "../../../packages/capability-broker/src/disk/protocol.ts";
// @boundaries-ignore the bench measures what the door does not show
import { createRoots } from "../../../packages/capability-broker/src/disk/roots.ts";
// @boundaries-ignore the bench measures what the door does not show
import {
  type Opener,
  openat2Opener,
  walkOpener,
} from "../../../packages/capability-broker/src/disk/walk.ts";

/** Microseconds of each operation, by what did it. */
export interface FileFigures {
  readonly plain: readonly number[];
  readonly walk: readonly number[];
  /** Empty where neither node:ffi nor koffi is. */
  readonly openat2: readonly number[];
}

const WARM_UP = 2_000;
const OPERATIONS = 10_000;
const BYTES = 65_536;
const COMPONENTS = ["a", "b", "f.json"] as const;

const host = String(workerData);
const calls = loadFileCalls();
const path = join(host, ...COMPONENTS);
const contestants: Readonly<Record<keyof FileFigures, (() => void) | undefined>> = {
  plain() {
    const fd = fs.openSync(path, "r");
    const bytes = new Uint8Array(BYTES);
    fs.readSync(fd, bytes, 0, BYTES, 0);
    fs.closeSync(fd);
  },
  walk: through(walkOpener),
  openat2: calls && through(openat2Opener(calls)),
};
const figures = { plain: [], walk: [], openat2: [] } as Record<keyof FileFigures, number[]>;
for (let at = 0; at < WARM_UP + OPERATIONS; at += 1) {
  for (const [name, run] of Object.entries(contestants)) {
    if (run === undefined) continue;
    const start = process.hrtime.bigint();
    run();
    const us = Number(process.hrtime.bigint() - start) / 1_000;
    if (at >= WARM_UP) figures[name as keyof FileFigures].push(us);
  }
}
parentPort?.postMessage(figures satisfies FileFigures);

function through(opener: Opener): () => void {
  const roots = createRoots({
    opener,
    calls,
    temporaryDirectory: host,
    isCancelled: () => false,
    kept: keepDescriptors(new Int32Array(64)),
  });
  const limits = { maxFileBytes: 1_048_576, quotaBytes: 1_048_576, maxFiles: 100, maxDepth: 32 };
  const folder: OpenRequest["path"]["folder"] = {
    guest: "/data",
    host,
    below: [],
    rights: ["read"],
    extensions: [".json"],
    allowHidden: false,
    ...limits,
  };
  const place = { kind: "host", path: host } as const;
  const request: OpenRequest = {
    path: { root: place, folder, components: COMPONENTS, namesDirectory: false, shadowed: [] },
    rights: ["read"],
    exclusive: false,
    truncate: false,
    followLinks: true,
    aside: false,
  };
  const root = roots.rootOf(place);
  return () => {
    const file = openFile(opener, root, request);
    readAt(file, 0, BYTES);
    closeFile(opener, file);
  };
}
