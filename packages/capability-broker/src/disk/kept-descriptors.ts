/**
 * @module Descriptors that outlive one request, in memory that both threads see: when a worker is
 * given up, what it had open is closed by the host's thread once the worker has ended. Node.js would
 * do that for its own descriptors only, and warns, slowly, of each other one that a worker closes
 * (bench: file_openat2_vs_fs).
 */
import { close, closeSync } from "node:fs";

import { fileError } from "./condition.ts";

/** The table as a worker uses it. */
export interface KeptDescriptors {
  /** Notes a descriptor, or closes it and throws `BROKER_FILE_QUOTA` when the table is full. */
  add(fd: number): void;
  delete(fd: number): void;
}

/** A worker's side of the table, whose numbers are descriptors plus one, and 0 where free. */
export function keepDescriptors(table: Int32Array): KeptDescriptors {
  const slots = new Map<number, number>();
  const free = Array.from(table.keys()).toReversed();
  return {
    add(fd) {
      const slot = free.pop();
      if (slot === undefined) {
        closeSync(fd);
        throw fileError("BROKER_FILE_QUOTA", `${table.length} files are open`, "EMFILE");
      }
      slots.set(fd, slot);
      Atomics.store(table, slot, fd + 1);
    },
    delete(fd) {
      const slot = slots.get(fd);
      if (slot === undefined) return;
      slots.delete(fd);
      free.push(slot);
      Atomics.store(table, slot, 0);
    },
  };
}

/** Closes what a worker that has ended left open. */
export function closeKept(table: Int32Array): void {
  for (const [slot, value] of table.entries()) {
    if (value === 0) continue;
    table[slot] = 0;
    close(value - 1, () => undefined);
  }
}
