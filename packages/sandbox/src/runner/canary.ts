/**
 * @module What a canary does: before it restricts itself, what an outer layer must refuse; once its
 * filter is in force, calls that must not reach the kernel, and when the host says so one that must
 * end it. All are harmless where nothing stops them.
 */
import { constants } from "node:fs";

import type { SystemCalls } from "@glovebox/linux/process";
import type { SystemCallName } from "@glovebox/linux/seccomp";

import type { OutsideReport } from "../protocol/hello.ts";

const CLONE_SIGHAND = 0x800;
const PR_GET_DUMPABLE = 3;
const TCGETS = 0x5401;
const AF_UNIX = 1;
const AF_INET = 2;
const SOCK_STREAM = 1;
/** struct sockaddr_in of port 0, any free one, at 127.0.0.1. */
const LOOPBACK = Uint8Array.of(AF_INET, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);
const { O_RDONLY, O_DIRECTORY } = constants;

/**
 * Arguments for each call that is answered without being made, such that the kernel without the
 * filter answers something else: mostly EINVAL or EFAULT, since they are wrong.
 */
const ATTEMPTS: readonly (readonly [SystemCallName, ...(readonly number[])])[] = [
  ["openat", -1, 0, 0],
  ["clone", CLONE_SIGHAND, 0, 0, 0, 0],
  ["clone3", 0, 0],
  ["kill", process.pid, 0],
  ["tgkill", -1, -1, 0],
  ["prctl", PR_GET_DUMPABLE],
  ["ioctl", 0, TCGETS, 0],
  ["sched_getaffinity", 0, 0, 0],
  ["sched_getparam", -1, 0],
  ["sched_getscheduler", -1],
  ["sched_yield"],
  ["nanosleep", 0, 0],
  ["clock_nanosleep", -1, 0, 0, 0],
  ["mremap", 1, 0, 0, 0, 0],
];

/**
 * Tries what an outer layer must refuse, with native calls: Node's permission model is another layer.
 * To be called as the user that the process was started as, so that nothing else is the reason.
 */
export function tryOutside(calls: SystemCalls): OutsideReport {
  const closing = (result: number): number => {
    if (result >= 0) calls.call("close", result);
    return Math.min(result, 0);
  };
  const open = (path: string): number => {
    const address = calls.addressOf(Buffer.from(`${path}\0`));
    return closing(calls.call("openat", -1, address, O_RDONLY | O_DIRECTORY, 0));
  };
  const socket = calls.call("socket", AF_INET, SOCK_STREAM, 0);
  const port = calls.call("bind", socket, calls.addressOf(LOOPBACK), LOOPBACK.length);
  closing(socket);
  return { root: open("/"), proc: open("/proc"), port };
}

/** What each call was answered; errno as a negative number. */
export function tryCalls(calls: SystemCalls): Readonly<Record<string, number>> {
  return Object.fromEntries(ATTEMPTS.map(([name, ...args]) => [name, calls.call(name, ...args)]));
}

/** A call that the filter answers with SIGSYS. */
export function makeForbiddenCall(calls: SystemCalls): void {
  calls.call("socket", AF_UNIX, SOCK_STREAM, 0);
}
