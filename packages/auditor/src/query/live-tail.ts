/**
 * @module Events as they become durable. A tail is a position in the log and not a queue: whoever is
 * slow holds nothing back and takes no memory, and who falls too far behind is put forward, with a
 * notice of how many entries were passed by.
 */
import type { RetentionClass } from "../event/event-kinds.ts";
import { readEvent } from "../event/read-event.ts";
import { DEFAULT_TAIL_LAG_EVENTS } from "../limits.ts";
import type { AuditLog } from "../log/log.ts";
import { orAborted } from "../or-aborted.ts";
import { type EventFilter, type FoundEvent, matches } from "./event-filter.ts";

/** Which events, and how far behind a reader may fall. */
export interface TailOptions extends EventFilter {
  /** Ends the tail. */
  readonly signal?: AbortSignal;
  /** Entries of one log that may wait to be read. Default 10,000. */
  readonly maxLagEvents?: number;
}

/** An event, or how many entries were passed by. */
export type TailItem =
  | ({ readonly kind: "event" } & FoundEvent)
  | { readonly kind: "skipped"; readonly origin: string; readonly count: number };

/** A log that grows. */
export interface GrowingLog {
  readonly class: RetentionClass;
  readonly log: Pick<AuditLog, "origin" | "state" | "read" | "whenGrown">;
}

/** Follows logs from now on, until the signal or the end of the loop. */
export async function* tailEvents(
  logs: readonly GrowingLog[],
  options: TailOptions = {},
): AsyncGenerator<TailItem, void, undefined> {
  const { signal } = options;
  const stop = new AbortController();
  const end = (): void => stop.abort();
  signal?.addEventListener("abort", end, { once: true });
  const tails = logs.map((log) => follow(log, options, stop.signal));
  /** Steps that have come to something, in that order: a race would leave a trace at each idle log. */
  const ready: ReturnType<typeof step>[] = [];
  let wake = Promise.withResolvers<void>();
  const advance = (tail: Tail): void => {
    const next = step(tail);
    const arrive = (): void => {
      ready.push(next);
      wake.resolve();
    };
    next.then(arrive, arrive);
  };
  try {
    if (signal?.aborted === true) return;
    tails.forEach(advance);
    for (let following = tails.length; following > 0;) {
      if (ready.length === 0) await orAborted(wake.promise, stop.signal);
      if (stop.signal.aborted) return;
      wake = Promise.withResolvers<void>();
      const arrived = await ready.shift();
      if (arrived === undefined) continue;
      if (arrived.result.done === true) {
        following -= 1;
        continue;
      }
      yield arrived.result.value;
      advance(arrived.tail);
    }
  } finally {
    end();
    signal?.removeEventListener("abort", end);
    await Promise.all(tails.map((tail) => tail.return()));
  }
}

type Tail = AsyncGenerator<TailItem, void, undefined>;

async function step(tail: Tail): Promise<{ tail: Tail; result: IteratorResult<TailItem, void> }> {
  return { tail, result: await tail.next() };
}

/** One log, until it is closed. */
async function* follow(
  { class: kept, log }: GrowingLog,
  { maxLagEvents = DEFAULT_TAIL_LAG_EVENTS, ...filter }: TailOptions,
  stop: AbortSignal,
): Tail {
  const { origin } = log;
  let at = log.state().durableSize;
  for (;;) {
    const { durableSize, minimumIndex } = log.state();
    const oldest = Math.max(durableSize - maxLagEvents, minimumIndex);
    if (at < oldest) {
      yield { kind: "skipped", origin, count: oldest - at };
      at = oldest;
      continue;
    }
    if (at >= durableSize) {
      await orAborted(log.whenGrown(durableSize), stop);
      // A log that has not grown is closed, or the tail has ended.
      if (log.state().durableSize <= durableSize) return;
      continue;
    }
    // A bundle at a time, so that a slow reader is seen to be slow.
    const to = Math.min(durableSize, at + 256);
    for await (const { index, bytes } of log.read(at, to)) {
      const event = readEvent(bytes);
      at = index + 1;
      if (event.allowed && matches(filter, event.value)) {
        yield { kind: "event", origin, class: kept, index, event: event.value };
      }
    }
  }
}
