/**
 * @module What a process does to itself before it touches untrusted bytes. Numbers from
 * linux/prctl.h and asm-generic/resource.h, equal on x86-64 and arm64.
 */
import { openSync, readSync } from "node:fs";

import { LinuxError } from "./errors.ts";
import type { SystemCalls } from "./system-calls.ts";

const PR_SET_PDEATHSIG = 1;
const PR_SET_NO_NEW_PRIVS = 38;
const SIGKILL = 9;
const RLIMIT_DATA = 2;
const RLIMIT_CORE = 4;
const PAGE_BYTES = 4096;
const STATM_DATA_FIELD = 5;
const MAX_STATM_BYTES = 256;

/**
 * Makes this process end with its parent, gain no privileges and write no core file.
 *
 * The kernel kills it when the thread that spawned it ends, also while it spins (prctl(2),
 * PR_SET_PDEATHSIG). A later change of uid clears that signal, so call this after one; a parent
 * that ended before the call is noticed by its pid.
 *
 * @throws {@link LinuxError} (`LINUX_CALL_FAILED`, `LINUX_PARENT_GONE`)
 */
export function restrictProcess(calls: SystemCalls, expectedParent: number): void {
  check("prctl(PR_SET_PDEATHSIG)", calls.prctl(PR_SET_PDEATHSIG, SIGKILL));
  if (process.ppid !== expectedParent) {
    throw new LinuxError("LINUX_PARENT_GONE", {
      message: `expected the parent ${expectedParent}, found ${process.ppid}`,
    });
  }
  check("prctl(PR_SET_NO_NEW_PRIVS)", calls.prctl(PR_SET_NO_NEW_PRIVS, 1));
  check("setrlimit(RLIMIT_CORE)", calls.setResourceLimit(RLIMIT_CORE, 0n));
}

/**
 * Prepares a limit on this process's private data (setrlimit(2), RLIMIT_DATA): an exact budget that
 * also covers what the engine does not count, such as a second linear memory. The returned function
 * applies it, counting from what is mapped at that moment, once and for good; it needs no
 * permission to open anything any more.
 *
 * @throws {@link LinuxError} (`LINUX_CALL_FAILED`, `LINUX_PROC_UNREADABLE`)
 */
export function prepareDataLimit(calls: SystemCalls): (moreBytes: number) => void {
  const statm = openSync("/proc/self/statm", "r");
  return (moreBytes) => {
    const bytes = BigInt(readMappedDataBytes(statm) + moreBytes);
    check("setrlimit(RLIMIT_DATA)", calls.setResourceLimit(RLIMIT_DATA, bytes));
  };
}

function readMappedDataBytes(statm: number): number {
  const text = Buffer.alloc(MAX_STATM_BYTES);
  const fields = text.toString("latin1", 0, readSync(statm, text, 0, text.length, 0)).split(" ");
  const pages = Number(fields[STATM_DATA_FIELD] ?? Number.NaN);
  if (!Number.isSafeInteger(pages)) {
    throw new LinuxError("LINUX_PROC_UNREADABLE", {
      message: "/proc/self/statm has no sixth number",
    });
  }
  return pages * PAGE_BYTES;
}

function check(call: string, result: number): void {
  if (result !== 0) {
    throw new LinuxError("LINUX_CALL_FAILED", {
      message: `${call} answered ${result}, expected 0`,
      details: { call, result },
    });
  }
}
