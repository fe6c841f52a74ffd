/** @module Which processes there are. */
import { readdirSync, readFileSync } from "node:fs";

/** Whether a process exists and is no zombie. */
export function runs(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** A field of /proc/PID/stat from the third on, by its number in proc(5); the name before may hold anything. */
export function fieldOfStat(pid: number, number: number): string | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[number - 3];
}

/** Numbers of the processes with this among their arguments. */
export function processesWith(argument: string): readonly number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0 && argumentsOf(pid).includes(argument));
}

function argumentsOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0");
  } catch {
    return []; // it has ended meanwhile
  }
}
