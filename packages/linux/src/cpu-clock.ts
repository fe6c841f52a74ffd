/**
 * @module The CPU time of another process's main thread, from outside and in nanoseconds
 * (/proc/PID/schedstat, field 1; Documentation/scheduler/sched-stats.rst). Unlike what a process
 * says of itself, a plugin cannot forge it.
 */
import { closeSync, openSync, readFileSync, readSync } from "node:fs";

import { LinuxError } from "./errors.ts";

const ZERO = 48;
const NINE = 57;
const MAX_LINE_BYTES = 64;
const NANOSECONDS_PER_MILLISECOND = 1e6;
/** The state after the name, which may hold anything (/proc/PID/stat, proc(5)); none of a process that is gone. */
const STOPPED = /^$|\) [TtZX] [^)]*$/;

/** Reads one process's CPU time through a descriptor that is opened once. */
export interface CpuClock extends Disposable {
  /**
   * Milliseconds of CPU time so far; the last value again once the process is gone. The kernel adds
   * what a running process uses at its clock ticks, up to ten milliseconds apart.
   */
  readMs(): number;
  /** Whether the process is stopped or has ended, and what is read now lacks nothing. */
  isStopped(): boolean;
}

// One line is read and parsed before anything else can run, so all clocks share the buffer.
const line = new Uint8Array(MAX_LINE_BYTES);

/**
 * Opens the clock of a process that is alive.
 *
 * @throws {@link LinuxError} (`LINUX_PROC_UNREADABLE`)
 */
export function openCpuClock(pid: number): CpuClock {
  const descriptor = openSchedstat(pid);
  let open = true;
  let lastMs = 0;
  return {
    readMs() {
      if (open)
        lastMs = Math.max(lastMs, readFirstNumber(descriptor) / NANOSECONDS_PER_MILLISECOND);
      return lastMs;
    },
    isStopped: () => !open || STOPPED.test(readState(pid)),
    [Symbol.dispose]() {
      if (!open) return;
      open = false;
      closeSync(descriptor);
    },
  };
}

function openSchedstat(pid: number): number {
  try {
    return openSync(`/proc/${pid}/schedstat`, "r");
  } catch (cause) {
    throw new LinuxError("LINUX_PROC_UNREADABLE", {
      message: `cannot open /proc/${pid}/schedstat`,
      details: { pid },
      cause,
    });
  }
}

function readState(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return "";
  }
}

function readFirstNumber(descriptor: number): number {
  let bytes: number;
  try {
    bytes = readSync(descriptor, line, 0, MAX_LINE_BYTES, 0);
  } catch {
    return 0; // ESRCH: the process has ended between two reads
  }
  let value = 0;
  for (let at = 0; at < bytes; at++) {
    const digit = line[at] ?? 0;
    if (digit < ZERO || digit > NINE) break;
    value = value * 10 + (digit - ZERO);
  }
  return value;
}
