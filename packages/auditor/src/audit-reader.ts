/**
 * @module Looking through the logs of a host without its lock, also while it writes: what is sealed,
 * with the host's index as far as that has come. Nothing is verified; that is for `verifyAuditLog`.
 */
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";

import { AuditorError } from "./errors.ts";
import { RETENTION_CLASSES, type RetentionClass } from "./event/event-kinds.ts";
import { openLogReader } from "./log/log-reader.ts";
import { type EventIndex, type IndexedLog, readEventIndex } from "./query/event-index.ts";
import { type EventPage, type EventQuery, queryEvents, type SearchableLog } from "./query/query.ts";
import { HOLDS_FILE, type LegalHold, readHolds } from "./retention/legal-holds.ts";

/** The logs of a directory, to be looked through. */
export interface AuditReader extends AsyncDisposable {
  /** A page of what is sealed now; personal fields stay encrypted. @throws {@link AuditorError} */
  query(query?: EventQuery): Promise<EventPage>;
  /** Legal holds that stand now. @throws {@link AuditorError} (`AUDITOR_HOLD`) */
  holds(): Promise<readonly LegalHold[]>;
}

/**
 * Opens the logs of an auditor's directory for reading.
 *
 * @throws {@link AuditorError} (`AUDITOR_DIRECTORY`, `AUDITOR_LOG_INVALID`)
 */
export async function openAuditReader(directory: string): Promise<AuditReader> {
  const path = resolve(directory);
  const names = await readdir(path).catch((cause: unknown) => {
    throw new AuditorError("AUDITOR_DIRECTORY", { message: `${path} cannot be read`, cause });
  });
  const classes = (Object.keys(RETENTION_CLASSES) as RetentionClass[]).filter((kept) =>
    names.includes(kept),
  );
  if (classes.length === 0) {
    const message = `${path} holds no log of an auditor`;
    throw new AuditorError("AUDITOR_DIRECTORY", { message });
  }
  const indexes: EventIndex[] = [];
  const logs: {
    readonly kept: RetentionClass;
    readonly look: () => Promise<IndexedLog>;
    readonly index: EventIndex | undefined;
  }[] = [];
  for (const kept of classes) {
    const reader = await openLogReader(join(path, kept));
    const look = async (): Promise<IndexedLog> => {
      const { sealedSize, minimumIndex } = await reader.state();
      const state = {
        nextIndex: sealedSize,
        durableSize: sealedSize,
        sealedSize,
        minimumIndex,
        queuedEntries: 0,
        queuedBytes: 0,
      };
      return {
        origin: reader.origin,
        state: () => state,
        read: (from = minimumIndex, to = sealedSize) => reader.read(from, to),
      };
    };
    const index = await readEventIndex(join(path, "index", `${kept}.idx`), await look());
    if (index !== undefined) indexes.push(index);
    logs.push({ kept, look, index });
  }
  return {
    async query(query = {}) {
      const searchable: SearchableLog[] = [];
      for (const { kept, look, index } of logs) {
        searchable.push({ class: kept, log: await look(), index });
      }
      return queryEvents(searchable, query);
    },
    holds: async () => [...(await readHolds(join(path, HOLDS_FILE))).values()],
    async [Symbol.asyncDispose]() {
      for (const index of indexes) await index[Symbol.asyncDispose]();
    },
  };
}
