/**
 * @module Node's permission model in a runner: what is given back once the runner is loaded, and
 * whether what remains is refused.
 */
import { readFileSync } from "node:fs";

import type { Hello } from "../protocol/hello.ts";

/** Something that must be refused when the permission model is on. */
const PROBED_FILE = "/proc/self/environ";

/** Node 24 and newer can give permissions back at run time. */
export function dropPermissions(): void {
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

/** What the model says that it refuses. */
export function askPermissions(): Hello["denied"] {
  const isRefused = (scope: string): boolean => !(process.permission?.has(scope) ?? true);
  return {
    files: isRefused("fs.read") && isRefused("fs.write"),
    processes: isRefused("child"),
    threads: isRefused("worker"),
    network: isRefused("net"),
  };
}

/** Tries what a plugin's process must not be able to do, instead of trusting flags. */
export function tryForbidden(): Hello["denied"] {
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
