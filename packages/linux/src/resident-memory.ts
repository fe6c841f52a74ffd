/**
 * @module The memory of another process, from outside (/proc/PID/statm, fields 2 and 6; proc(5)).
 * Unlike what a process says of itself, a plugin cannot forge it.
 */
import { closeSync, openSync, readSync } from "node:fs";

import { LinuxError } from "./errors.ts";

const MAX_LINE_BYTES = 128;
const PAGE_BYTES = 4096;
/** Fields of statm from 0. */
const RESIDENT = 1;
const DATA = 5;

// One line is read and parsed before anything else can run, so all readers share the buffer.
const line = Buffer.alloc(MAX_LINE_BYTES);

/** Reads one process's memory through a descriptor that is opened once. */
export interface ResidentMemory extends Disposable {
  /** Bytes that are resident now, shared ones included; 0 once the process is gone. */
  readBytes(): number;
  /** Bytes of private, writable memory that are mapped now, as RLIMIT_DATA counts; 0 once the process is gone. */
  readDataBytes(): number;
}

/**
 * Opens the reader of a process that is alive.
 *
 * @throws {@link LinuxError} (`LINUX_PROC_UNREADABLE`)
 */
export function openResidentMemory(pid: number): ResidentMemory {
  const path = `/proc/${pid}/statm`;
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, "r");
  } catch (cause) {
    throw new LinuxError("LINUX_PROC_UNREADABLE", {
      message: `cannot open ${path}`,
      details: { pid },
      cause,
    });
  }
  const read = (field: number): number =>
    descriptor === undefined ? 0 : readPages(descriptor, field) * PAGE_BYTES;
  return {
    readBytes: () => read(RESIDENT),
    readDataBytes: () => read(DATA),
    [Symbol.dispose]() {
      if (descriptor !== undefined) closeSync(descriptor);
      descriptor = undefined;
    },
  };
}

function readPages(descriptor: number, field: number): number {
  try {
    const text = line.toString("latin1", 0, readSync(descriptor, line, 0, MAX_LINE_BYTES, 0));
    const pages = Number(text.split(" ", field + 1)[field]);
    return Number.isSafeInteger(pages) ? pages : 0;
  } catch {
    return 0; // ESRCH: the process has ended
  }
}
