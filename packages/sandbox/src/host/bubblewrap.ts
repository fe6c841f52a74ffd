/**
 * @module bubblewrap (bwrap(1)) as a runner's outer layer: namespaces of its own without a network,
 * without other processes, and with no files but those that Node needs to start.
 */
import { execFile } from "node:child_process";
import { existsSync, readFileSync, readlinkSync, statSync } from "node:fs";

import { BUBBLEWRAP_START_MS } from "../limits.ts";
import { NO_CONFIGURATION } from "../spawner/spawn-point.ts";

/** Where it is believed to be: a name out of PATH would be whatever the environment says. */
const PLACES = ["/usr/bin/bwrap", "/bin/bwrap"] as const;

/** What is separate from the host's, by the name of its file below /proc/PID/ns. */
const NAMESPACES = ["net", "pid", "mnt", "ipc", "uts"] as const;

/** Write permission of group and others. */
const OTHERS_WRITE = 0o022;

/**
 * The numbers of bubblewrap's own init and of the runner in their namespace. The runner is not the
 * init itself: a change of user would take from bubblewrap, which has no capabilities, the right to
 * end it. The init stays its user's, and the kernel ends the namespace with it.
 */
export const INIT_INSIDE = 1;
export const RUNNER_INSIDE = 2;

/** What a runner behind bubblewrap sees and keeps. */
export interface BubblewrapSpec {
  /** Files and folders that can be read and run. */
  readonly readable: readonly string[];
  /** Whether it will change its user, which takes a host that is root. */
  readonly becomesUser: boolean;
}

/** The arguments before the command's own. */
export function bubblewrapArguments({ readable, becomesUser }: BubblewrapSpec): string[] {
  const isRoot = process.getuid?.() === 0;
  return [
    // Root needs no namespace of users, and in one it would go on to be root outside.
    ...(isRoot ? [] : ["--unshare-user"]),
    ...NAMESPACES.filter((name) => name !== "mnt").map((name) => `--unshare-${name}`),
    "--unshare-cgroup-try",
    "--die-with-parent",
    "--new-session",
    "--cap-drop",
    "ALL",
    ...(isRoot && becomesUser ? ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"] : []),
    "--dev-bind",
    NO_CONFIGURATION,
    NO_CONFIGURATION,
    ...readable.flatMap((path) => ["--ro-bind", path, path]),
    // In memory, and nobody counts what lies there.
    "--remount-ro",
    "/",
  ];
}

/** Its path, or why it is not used. */
export function findBubblewrap(
  places: readonly string[] = PLACES,
): { readonly path: string } | { readonly absent: string } {
  for (const path of places) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) continue;
    return found.isFile() && found.uid === 0 && (found.mode & OTHERS_WRITE) === 0
      ? { path }
      : { absent: `${path} is not root's alone` };
  }
  return { absent: `there is no ${places.join(" or ")}` };
}

/**
 * The number of the runner whose namespace has this init; 0 = there is none.
 */
export function runnerBelow(init: number): number {
  return Number(/^(\d+) $/.exec(readFileSync(childrenFile(init), "latin1"))?.[1] ?? 0);
}

function childrenFile(pid: number): string {
  return `/proc/${pid}/task/${pid}/children`;
}

/** Starts Node behind it once; answers why that does not work here, or `undefined`. */
export function probeBubblewrap(path: string, spec: BubblewrapSpec): Promise<string | undefined> {
  const args = [...bubblewrapArguments(spec), "--", process.execPath, "--version"];
  if (!existsSync(childrenFile(process.pid)))
    return Promise.resolve("the kernel does not say which children a process has");
  const options = { timeout: BUBBLEWRAP_START_MS, env: {}, cwd: "/" };
  return new Promise((resolve) => {
    execFile(path, args, options, (error, _stdout, stderr) => {
      resolve(error === null ? undefined : stderr.trim() || error.message);
    });
  });
}

/** Whether the kernel says that a process is in other namespaces than this one. */
export function isApart(pid: number): boolean {
  try {
    return NAMESPACES.every(
      (name) => readlinkSync(`/proc/${pid}/ns/${name}`) !== readlinkSync(`/proc/self/ns/${name}`),
    );
  } catch {
    return false;
  }
}
