/**
 * @module What the kernel says of another process's threads (/proc/PID/task/TID/status, proc(5)):
 * whether each is filtered, unprivileged, and whose it is. The process itself cannot forge it.
 */
import { readdirSync, readFileSync } from "node:fs";

import { LinuxError } from "./errors.ts";

/** The restrictions of one thread. */
export interface ThreadStatus {
  readonly threadId: number;
  /** no_new_privs is set. */
  readonly noNewPrivileges: boolean;
  /** A seccomp filter is in force. */
  readonly filtered: boolean;
  /** Real, effective, saved and file system user. */
  readonly users: readonly number[];
  /** Permitted capabilities, as a set of bits. */
  readonly capabilities: bigint;
}

const SECCOMP_MODE_FILTER = "2";

/**
 * The threads of a process that is alive, at least one.
 *
 * @throws {@link LinuxError} (`LINUX_PROC_UNREADABLE`)
 */
export function readThreads(pid: number): readonly ThreadStatus[] {
  const folder = `/proc/${pid}/task`;
  try {
    return readdirSync(folder).map((name) =>
      parseStatus(Number(name), readFileSync(`${folder}/${name}/status`, "latin1")),
    );
  } catch (cause) {
    throw new LinuxError("LINUX_PROC_UNREADABLE", {
      message: `cannot read ${folder}`,
      details: { pid },
      cause,
    });
  }
}

function parseStatus(threadId: number, text: string): ThreadStatus {
  // A kernel without a line is one without the restriction.
  const valueOf = (name: string): string =>
    new RegExp(`^${name}:\\s*(.*)$`, "m").exec(text)?.[1] ?? "";
  return {
    threadId,
    noNewPrivileges: valueOf("NoNewPrivs") === "1",
    filtered: valueOf("Seccomp") === SECCOMP_MODE_FILTER,
    users: valueOf("Uid").split(/\s+/).map(Number),
    capabilities: BigInt(`0x${valueOf("CapPrm") || "f"}`),
  };
}
