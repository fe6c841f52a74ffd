/**
 * @module The steps with which a runner gives up what it does not need, before the first plugin
 * byte (invariant I2). What was reached is reported in HELLO; the host decides whether it is enough.
 */
import { readFileSync } from "node:fs";

import { loadSystemCalls, prepareDataLimit, restrictProcess } from "@glovebox/linux";

import type { Hello } from "../protocol/hello.ts";

/** What remains usable after the lock-down. */
export interface LockedDown {
  readonly hello: Hello;
  /** Limits the private data that may be mapped from now on; does nothing without system calls. */
  readonly limitData: (moreBytes: number) => void;
}

/** Something that must be refused when the permission model is on. */
const PROBED_FILE = "/proc/self/environ";

/**
 * Locks this process down; `hostPid` is the process that must be its parent. A canary then tries
 * what must be refused; the others, whose memory counts, ask the permission model.
 */
export function lockDown(
  hostPid: number,
  canary: boolean,
  koffiEntry: string | undefined,
): LockedDown {
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
      denied: canary ? tryForbidden() : askPermissions(),
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

function askPermissions(): Hello["denied"] {
  const isRefused = (scope: string): boolean => !(process.permission?.has(scope) ?? true);
  return {
    files: isRefused("fs.read") && isRefused("fs.write"),
    processes: isRefused("child"),
    threads: isRefused("worker"),
    network: isRefused("net"),
  };
}

/** Tries what a plugin's process must not be able to do, instead of trusting flags. */
function tryForbidden(): Hello["denied"] {
  return {
    files: isDenied(() => readFileSync(PROBED_FILE)),
    processes: isDenied(() =>
      process.getBuiltinModule("node:child_process").spawnSync(PROBED_FILE),
    ),
    threads: isDenied(
      () => new (process.getBuiltinModule("node:worker_threads").Worker)("", { eval: true }),
    ),
    network: isDenied(() =>
      process.getBuiltinModule("node:net").createServer().listen(0, "127.0.0.1"),
    ),
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
