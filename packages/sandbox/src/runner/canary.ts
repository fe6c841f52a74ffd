/**
 * @module What a canary does once its filter is in force: it makes calls that must not reach the kernel, and when
 * the host says so one that must end it. All are harmless where there is no filter after all.
 */
import type { SystemCalls } from "@glovebox/linux/process";
import type { SystemCallName } from "@glovebox/linux/seccomp";

const CLONE_SIGHAND = 0x800;
const PR_GET_DUMPABLE = 3;
const TCGETS = 0x5401;
const AF_UNIX = 1;
const SOCK_STREAM = 1;

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

/** What each call was answered; errno as a negative number. */
export function tryCalls(calls: SystemCalls): Readonly<Record<string, number>> {
  return Object.fromEntries(ATTEMPTS.map(([name, ...args]) => [name, calls.call(name, ...args)]));
}

/** A call that the filter answers with SIGSYS. */
export function makeForbiddenCall(calls: SystemCalls): void {
  calls.call("socket", AF_UNIX, SOCK_STREAM, 0);
}
