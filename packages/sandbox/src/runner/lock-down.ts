/**
 * @module The steps with which a runner gives up what it does not need, before the first plugin
 * byte (invariant I2). What was reached is reported in HELLO; the host decides whether it is enough.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { loadSystemCalls, prepareDataLimit, restrictProcess } from "@glovebox/linux";

import type { Hello } from "../protocol/hello.ts";

/** What remains usable after the lock-down. */
export interface LockedDown {
  readonly hello: Hello;
  /** Limits the private data that may be mapped from now on; does nothing without system calls. */
  limitData(moreBytes: number): void;
}

/** Something that must be refused when the permission model is on. */
const PROBED_FILE = "/proc/self/environ";

/** Locks this process down; `hostPid` is the process that must be its parent. */
export function lockDown(hostPid: number, koffiEntry: string | undefined): LockedDown {
  const calls = loadSystemCalls(koffiEntry);
  let limitData = (_moreBytes: number): void => undefined;
  if (calls !== undefined) {
    restrictProcess(calls, hostPid);
    limitData = prepareDataLimit(calls);
  }
  dropPermissions();
  return {
    hello: {
      node: process.versions.node,
      systemCalls: calls?.backEnd ?? "none",
      denied: probeDenials(),
    },
    limitData,
  };
}

/** Node 24 and newer can give permissions back at run time. */
function dropPermissions(): void {
  const permission = process.permission as { drop?: (scope: string) => void } | undefined;
  if (permission?.drop === undefined) return;
  for (const scope of ["ffi", "addon", "fs"]) {
    try {
      permission.drop(scope);
    } catch {
      // A scope that this Node does not know; the probe below says what counts.
    }
  }
}

/** Tries what a plugin's process must not be able to do, instead of trusting flags. */
function probeDenials(): Hello["denied"] {
  const require = createRequire("/");
  return {
    files: isDenied(() => readFileSync(PROBED_FILE)),
    processes: isDenied(() =>
      (require("node:child_process") as typeof import("node:child_process")).spawnSync("/"),
    ),
    threads: isDenied(
      () =>
        new (require("node:worker_threads") as typeof import("node:worker_threads")).Worker("", {
          eval: true,
        }),
    ),
    network: process.permission?.has("net") === false,
  };
}

function isDenied(attempt: () => unknown): boolean {
  try {
    attempt();
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ERR_ACCESS_DENIED";
  }
}
