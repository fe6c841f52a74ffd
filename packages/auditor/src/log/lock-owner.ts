/**
 * @module Who holds a lock, and whether that process still runs. A process id alone names another
 * process after a reboot, after a wrap of the counter, or in another container; start time, boot id
 * and namespace of ids make it unmistakable. What cannot be told is answered with `undefined`.
 */
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** A process, as one machine among many would name it. An unknown part is empty. */
export interface LockOwner {
  readonly pid: number;
  /** Start of the process in clock ticks after boot. */
  readonly startTime: string;
  readonly bootId: string;
  readonly pidNamespace: string;
  /** Machine id and host name. */
  readonly machine: string;
}

/** What the lock needs to know of processes. */
export interface ProcessTable {
  self(): LockOwner;
  /** Whether the owner runs; `undefined` if that cannot be told from here. */
  isRunning(owner: LockOwner): boolean | undefined;
}

/** What is read of the machine; an unreadable file or link is empty. */
export interface MachineFacts {
  readonly pid: number;
  readonly hostName: string;
  readonly readFile: (path: string) => string;
  readonly readLink: (path: string) => string;
}

/** The process table of a machine with /proc; without it almost nothing can be told. */
export function processesOf({ pid, hostName, readFile, readLink }: MachineFacts): ProcessTable {
  function self(): LockOwner {
    const id = readFile("/etc/machine-id");
    return {
      pid,
      startTime: startTimeOf(pid) ?? "",
      bootId: readFile("/proc/sys/kernel/random/boot_id"),
      pidNamespace: readLink("/proc/self/ns/pid"),
      machine: /^[0-9a-f]{32}$/.test(id) ? `${id} ${hostName}` : "",
    };
  }

  function isRunning(owner: LockOwner): boolean | undefined {
    const here = self();
    const sameNamespace = owner.pidNamespace !== "" && owner.pidNamespace === here.pidNamespace;
    const isComplete = owner.bootId !== "" && owner.startTime !== "" && here.startTime !== "";
    if (!isComplete || here.bootId === "" || !sameNamespace) return undefined;
    if (owner.bootId !== here.bootId) {
      // A reboot ended it, unless it is another machine on a shared volume.
      return owner.machine !== "" && owner.machine === here.machine ? false : undefined;
    }
    return startTimeOf(owner.pid) === owner.startTime;
  }

  /** proc(5): field 22 of stat, counted after the name, which may itself hold spaces and brackets. */
  function startTimeOf(id: number): string | undefined {
    const stat = readFile(`/proc/${id}/stat`);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state, startTime] = [fields[0], fields[19]];
    // A zombie has ended, although it still has its entry.
    return state === "Z" || state === "X" ? undefined : startTime;
  }

  return Object.freeze({ self, isRunning });
}

/** The process table of this machine. */
export const systemProcesses: ProcessTable = processesOf({
  pid: process.pid,
  hostName: hostname(),
  readFile: (path) => orEmpty(() => readFileSync(path, "latin1").trim()),
  readLink: (path) => orEmpty(() => readlinkSync(path)),
});

function orEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}
