/**
 * @module Looking for events in all logs of a host, in order of time, a page at a time. Summaries say
 * which bundles can be passed by; the events themselves are read from the log. Memory holds a bundle
 * per log and the page.
 */
import { allow, type Decision, refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";

import { AuditorError } from "../errors.ts";
import type { RetentionClass } from "../event/event-kinds.ts";
import { readEvent } from "../event/read-event.ts";
import { MAX_PAGE_EVENTS } from "../limits.ts";
import { type EventFilter, type FoundEvent, matches } from "./event-filter.ts";
import type { EventIndex, IndexedLog } from "./event-index.ts";
import { mayHold, SEGMENT_EVENTS } from "./segment-summary.ts";

/** A log that can be looked through; without an index all of it is read. */
export interface SearchableLog {
  readonly class: RetentionClass;
  readonly log: IndexedLog;
  readonly index: EventIndex | undefined;
}

/** What to look for, and how much at once. */
export interface EventQuery extends EventFilter {
  /** Default `newest`: the last event comes first. */
  readonly order?: "newest" | "oldest";
  /** Events of a page, 1–10,000. Default 100. */
  readonly limit?: number;
  /** Where the page before ended; only with the same conditions. */
  readonly cursor?: string;
}

/** A page of events. */
export interface EventPage {
  readonly events: readonly FoundEvent[];
  /** Where the next page begins; `undefined` when there is none. */
  readonly cursor: string | undefined;
}

/** By origin: the first index of the next page. */
type Positions = Readonly<Record<string, number>>;

const POSITION_CURSOR = /^[A-Za-z0-9_-]{2,4096}$/;

/**
 * Answers one page. The cursor may be anyone's text: a wrong one is refused.
 *
 * @throws {@link AuditorError} (`AUDITOR_QUERY`) for a limit out of range or a cursor that is none
 */
export async function queryEvents(
  logs: readonly SearchableLog[],
  query: EventQuery,
): Promise<EventPage> {
  const { limit = 100, cursor } = query;
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > MAX_PAGE_EVENTS) {
    throw queryError(`limit is 1–${MAX_PAGE_EVENTS}; received ${received(limit)}`);
  }
  const positions = cursor === undefined ? {} : unwrap(parseCursor(cursor));
  const isNewest = query.order !== "oldest";
  const lanes: Lane[] = [];
  const events: FoundEvent[] = [];
  try {
    for (const searchable of logs) {
      const from = Object.hasOwn(positions, searchable.log.origin)
        ? positions[searchable.log.origin]
        : undefined;
      const found = isNewest ? walkBack(searchable, query, from) : walk(searchable, query, from);
      lanes.push({ found, head: await next(found), origin: searchable.log.origin });
    }
    while (events.length < limit) {
      const lane = firstOf(lanes, isNewest);
      if (lane?.head === undefined) return { events, cursor: undefined };
      events.push(lane.head);
      lane.last = lane.head.index;
      lane.head = await next(lane.found);
    }
  } finally {
    for (const { found } of lanes) await found.return(undefined);
  }
  if (lanes.every(({ head }) => head === undefined)) return { events, cursor: undefined };
  const rest: [string, number][] = lanes.map((lane) => [
    lane.origin,
    positionAfter(lane, isNewest),
  ]);
  return { events, cursor: formatCursor(Object.fromEntries(rest)) };
}

/** The events of one log, and the first that is not taken yet. */
interface Lane {
  readonly origin: string;
  readonly found: AsyncGenerator<FoundEvent, undefined, undefined>;
  head: FoundEvent | undefined;
  last?: number;
}

/** Where a log goes on: at the event that waits; a log without one has been walked through. */
function positionAfter({ head }: Lane, isNewest: boolean): number {
  if (head !== undefined) return head.index;
  return isNewest ? -1 : Number.MAX_SAFE_INTEGER;
}

function firstOf(lanes: readonly Lane[], isNewest: boolean): Lane | undefined {
  let first: Lane | undefined;
  for (const lane of lanes) {
    if (lane.head === undefined) continue;
    const before = first?.head && order(lane.head, first.head);
    if (before === undefined || (isNewest ? before > 0 : before < 0)) first = lane;
  }
  return first;
}

/** By time, and within a millisecond as they were recorded. */
function order({ event: one }: FoundEvent, { event: other }: FoundEvent): number {
  return one.time - other.time || (one.seq ?? 0) - (other.seq ?? 0);
}

async function next(found: Lane["found"]): Promise<FoundEvent | undefined> {
  const { value } = await found.next();
  return value;
}

/** Oldest first. */
async function* walk(
  { class: kept, log, index }: SearchableLog,
  filter: EventFilter,
  from: number | undefined,
): AsyncGenerator<FoundEvent, undefined, undefined> {
  const { minimumIndex, durableSize } = log.state();
  let at = Math.max(minimumIndex, from ?? 0);
  while (at < durableSize) {
    const segment = Math.floor(at / SEGMENT_EVENTS);
    const end = Math.min((segment + 1) * SEGMENT_EVENTS, durableSize);
    if (await isWorthReading(index, segment, filter)) {
      yield* (await eventsOf(kept, log, at, end, filter)).values();
    }
    at = end;
  }
  return undefined;
}

/** Newest first; `from` is the last index that may come. */
async function* walkBack(
  { class: kept, log, index }: SearchableLog,
  filter: EventFilter,
  from: number | undefined,
): AsyncGenerator<FoundEvent, undefined, undefined> {
  const { minimumIndex, durableSize } = log.state();
  let end = from === undefined ? durableSize : Math.min(from + 1, durableSize);
  while (end > minimumIndex) {
    const segment = Math.floor((end - 1) / SEGMENT_EVENTS);
    const start = Math.max(segment * SEGMENT_EVENTS, minimumIndex);
    if (await isWorthReading(index, segment, filter)) {
      yield* (await eventsOf(kept, log, start, end, filter)).toReversed().values();
    }
    end = start;
  }
  return undefined;
}

async function isWorthReading(
  index: EventIndex | undefined,
  segment: number,
  filter: EventFilter,
): Promise<boolean> {
  const summary = await index?.summary(segment);
  return summary === undefined || mayHold(filter, summary);
}

async function eventsOf(
  kept: RetentionClass,
  log: IndexedLog,
  from: number,
  to: number,
  filter: EventFilter,
): Promise<readonly FoundEvent[]> {
  const found: FoundEvent[] = [];
  for await (const { index, bytes } of log.read(from, to)) {
    const event = readEvent(bytes);
    if (event.allowed && matches(filter, event.value)) {
      found.push({ origin: log.origin, class: kept, index, event: event.value });
    }
  }
  return found;
}

function formatCursor(positions: Positions): string {
  return Buffer.from(JSON.stringify(positions)).toString("base64url");
}

function parseCursor(raw: string): Decision<Positions> {
  const wrong = refuse("AUDITOR_QUERY", "audit.query", `no cursor: ${received(raw)}`);
  if (!POSITION_CURSOR.test(raw)) return wrong;
  try {
    const value: unknown = JSON.parse(Buffer.from(raw, "base64url").toString());
    if (typeof value !== "object" || value === null) return wrong;
    const isWhole = Object.values(value).every((at) => Number.isSafeInteger(at) && at >= -1);
    return isWhole ? allow("audit.query", value as Positions) : wrong;
  } catch {
    return wrong;
  }
}

function unwrap<T>(decision: Decision<T>): T {
  if (decision.allowed) return decision.value;
  throw queryError(decision.reason);
}

function queryError(message: string): AuditorError {
  return new AuditorError("AUDITOR_QUERY", { message });
}
