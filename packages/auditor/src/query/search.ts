/** @module Queries over the open logs of a host, with an index for each that is kept up to date. */
import { join } from "node:path";

import type { RetentionClass } from "../event/event-kinds.ts";
import { type EventIndex, type IndexedLog, openEventIndex } from "./event-index.ts";
import { type EventPage, type EventQuery, queryEvents, type SearchableLog } from "./query.ts";

/** Logs that can be looked through. */
export interface Search extends AsyncDisposable {
  /** A page of what is durable now. @throws {@link AuditorError} (`AUDITOR_QUERY`) */
  query(query?: EventQuery): Promise<EventPage>;
}

/**
 * Opens the indexes of logs in a directory, or begins them.
 *
 * @throws {@link AuditorError} (`AUDITOR_DIRECTORY`)
 */
export async function openSearch(
  directory: string,
  logs: ReadonlyMap<RetentionClass, IndexedLog>,
): Promise<Search> {
  const indexes: EventIndex[] = [];
  const searchable: SearchableLog[] = [];
  const close = async (): Promise<void> => {
    for (const index of indexes) await index[Symbol.asyncDispose]();
  };
  try {
    for (const [kept, log] of logs) {
      const index = await openEventIndex(join(directory, `${kept}.idx`), log);
      indexes.push(index);
      searchable.push({ class: kept, log, index });
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    async query(query = {}) {
      for (const index of indexes) await index.update();
      return queryEvents(searchable, query);
    },
    [Symbol.asyncDispose]: close,
  };
}
