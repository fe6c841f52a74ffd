/** @module What the auditor is compared with, each writing to a file of its own. */
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

import type { AuditEvent } from "@glovebox/core/ports";
import { pino } from "pino";

import type { Contestant } from "../measure.ts";
import { eventOf, SCOPE } from "./event.ts";

/** pino as it is by default, to a file; nothing is synced. */
export function pinoPeer<Name extends string>(
  name: Name,
  path: string,
  count: number,
  event: (n: number) => AuditEvent,
): Contestant<Name> {
  const logger = pino(pino.destination({ dest: path, sync: true, minLength: 0 }));
  return {
    name,
    async measure() {
      const start = performance.now();
      for (let at = 0; at < count; at += 1) logger.info({ ...SCOPE, ...event(at) });
      return count / ((performance.now() - start) / 1_000);
    },
  };
}

/** SQLite, 1,024 events a transaction, synced at each. */
export function sqlitePeer(path: string, count: number): Contestant<"sqlite"> {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE log (event TEXT)");
  const insert = database.prepare("INSERT INTO log VALUES (?)");
  return {
    name: "sqlite",
    async measure() {
      const start = performance.now();
      for (let done = 0; done < count; done += 1_024) {
        database.exec("BEGIN");
        for (let at = 0; at < 1_024; at += 1)
          insert.run(JSON.stringify({ ...SCOPE, ...eventOf(done + at) }));
        database.exec("COMMIT");
      }
      return count / ((performance.now() - start) / 1_000);
    },
  };
}

/** Milliseconds of the 99th of a hundred appends with a sync. */
export function fdatasyncPeer(path: string): Contestant<"fdatasync"> {
  const bytes = Buffer.alloc(300_000);
  return {
    name: "fdatasync",
    async measure() {
      const file = openSync(path, "w");
      const times: number[] = [];
      for (let at = 0; at < 100; at += 1) {
        writeSync(file, bytes);
        const start = performance.now();
        fdatasyncSync(file);
        times.push(performance.now() - start);
      }
      closeSync(file);
      return times.toSorted((a, b) => a - b)[98] ?? Number.NaN;
    },
  };
}
