/**
 * @module Slots for running calls, and a bounded fair queue before them. Freed slots go round the
 * plugins that wait, one call each, so a plugin that floods its queue delays others by at most one
 * of its calls per slot (CWE-770). A more urgent call goes before all less urgent ones, and plugins
 * take turns among equals. Where the queue is full, room is taken from less urgent calls, then from
 * the plugins that hold more than an equal share of it, and never from those that hold less.
 */
import type { Clock } from "@glovebox/core/clock";
import { type Decision, type Refusal, refuse } from "@glovebox/core/decision";

import type { Lane } from "./lane.ts";
import { BUSY_RETRY_MS } from "./limits.ts";
import { Patience } from "./patience.ts";
import { type Permit, SlotPermit, type SlotOwner } from "./permit.ts";
import { type Queue, Waiter } from "./waiter.ts";
import { PRIORITIES } from "./waiting-line.ts";

/** The bounds of a {@link Bulkhead}. */
export interface BulkheadLimits {
  readonly maxConcurrent: number;
  readonly maxQueued: number;
  readonly maxQueuedPerPlugin: number;
  readonly maxQueueWaitMs: number;
}

/** Slots and the queue before them. */
export class Bulkhead implements SlotOwner<Lane>, Queue<Lane> {
  readonly #limits: BulkheadLimits;
  readonly #clock: Clock;
  readonly #patience: Patience<Waiter<Lane>>;
  /** Lanes that have waiting calls. */
  readonly #queued = new Set<Lane>();
  /** By rank, those of them with a slot of their own left, in the order of their turns. */
  readonly #ready: readonly Set<Lane>[] = PRIORITIES.map(() => new Set());
  #active = 0;

  constructor(limits: BulkheadLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
    this.#patience = new Patience(clock, limits.maxQueueWaitMs, (waiter) =>
      waiter.settle(TIMED_OUT),
    );
  }

  get active(): number {
    return this.#active;
  }

  get waiting(): number {
    return this.#patience.size;
  }

  /** Why the lane's call cannot start now; `undefined` when it can. */
  busy(lane: Lane): Refusal | undefined {
    if (lane.active >= lane.maxActive) return PLUGIN_BUSY;
    // Whoever waits has been passed a slot by giveBack already, so nobody is overtaken here.
    return this.#active >= this.#limits.maxConcurrent ? HOST_BUSY : undefined;
  }

  /** Takes a slot for a call for which {@link busy} answered `undefined`. */
  enter(lane: Lane, waitedMs: number): SlotPermit<Lane> {
    this.#active += 1;
    lane.active += 1;
    return new SlotPermit(this, lane, waitedMs);
  }

  giveBack(lane: Lane): void {
    this.#active -= 1;
    lane.active -= 1;
    this.review(lane);
  }

  /** Makes room for one more waiting call of a lane, or says why there is none. */
  makeRoom(lane: Lane, rank: number): Refusal | undefined {
    const { maxQueued, maxQueuedPerPlugin } = this.#limits;
    if (lane.waiters.size >= maxQueuedPerPlugin) {
      return pushOut(lane.waiters.newestBelow(rank), PLUGIN_QUEUE_FULL);
    }
    if (this.waiting < maxQueued) return undefined;
    for (const other of this.#queued) {
      const lessUrgent = other.waiters.newestBelow(rank);
      if (lessUrgent !== undefined) return pushOut(lessUrgent, HOST_QUEUE_FULL);
    }
    const lanes = this.#queued.size + (this.#queued.has(lane) ? 0 : 1);
    const share = Math.floor(maxQueued / lanes);
    if (lane.waiters.size >= share) return HOST_QUEUE_FULL;
    // The queue is full and this lane is under its share, so another is above its own. Its newest
    // call of this rank or below goes, so that urgency is not undone.
    for (const other of this.#queued) {
      if (other.waiters.size > share) {
        return pushOut(other.waiters.newestBelow(rank - 1), HOST_QUEUE_FULL);
      }
    }
    return HOST_QUEUE_FULL;
  }

  /** Queues a call for which there is room; the answer comes when its wait ends. */
  wait(
    lane: Lane,
    rank: number,
    signal: AbortSignal | undefined,
    aborted: Refusal,
  ): Promise<Decision<Permit>> {
    return new Promise((resolve) => {
      const waiter = new Waiter<Lane>(this, lane, rank, this.#clock.monotonicMs(), resolve);
      if (signal !== undefined) waiter.leaveOn(signal, aborted);
      lane.waiters.add(waiter);
      this.#queued.add(lane);
      this.#patience.add(waiter);
      this.review(lane);
    });
  }

  /** Takes a call out of the queue; its place is free at once, wherever it stood. */
  leave(waiter: Waiter<Lane>): void {
    if (!this.#patience.delete(waiter)) return;
    const { lane, rank } = waiter;
    lane.waiters.delete(waiter);
    if (lane.waiters.oldestAt(rank) === undefined) this.#ready[rank]?.delete(lane);
    if (lane.waiters.size === 0) this.#queued.delete(lane);
  }

  /** Ends the wait of one lane's calls, or of all. */
  refuseWaiting(refusal: Refusal, lanes: Iterable<Lane> = [...this.#queued]): void {
    for (const lane of lanes) {
      for (const waiter of lane.waiters) waiter.settle(refusal);
    }
  }

  /** Decides anew whether a lane takes turns, after its slots or its limits changed. */
  review(lane: Lane): void {
    if (this.waiting === 0) return;
    for (let rank = 0; rank < this.#ready.length; rank += 1) {
      // Adding a lane that is in the set already keeps its turn.
      if (lane.isReadyAt(rank)) this.#ready[rank]?.add(lane);
      else this.#ready[rank]?.delete(lane);
    }
    for (let rank = 0; rank < this.#ready.length; rank += 1) this.#dispatch(rank);
  }

  /** A lane that is taken out and put back is visited again, after all others: round robin. */
  #dispatch(rank: number): void {
    const ready = this.#ready[rank];
    if (ready === undefined || ready.size === 0) return;
    for (const lane of ready) {
      if (this.#active >= this.#limits.maxConcurrent) return;
      ready.delete(lane);
      // Its last slot may have gone to a more urgent call of its own.
      const waiter = lane.isReadyAt(rank) ? lane.waiters.oldestAt(rank) : undefined;
      if (waiter === undefined) continue;
      waiter.settle(this.enter(lane, this.#clock.monotonicMs() - waiter.sinceMs));
      if (lane.isReadyAt(rank)) ready.add(lane);
    }
  }
}

/** Ends one call's wait for the sake of another, or refuses that other. */
function pushOut(victim: Waiter<Lane> | undefined, refusal: Refusal): Refusal | undefined {
  if (victim === undefined) return refusal;
  victim.settle(refusal);
  return undefined;
}

// Made once: refusing is what a flood drives, so it has to be the cheapest answer.
const PLUGIN_BUSY = busyRefusal(
  "LIMITER_CONCURRENCY",
  "limiter.slots.plugin",
  "the plugin already runs as many calls as it may",
);
const HOST_BUSY = busyRefusal(
  "LIMITER_CONCURRENCY",
  "limiter.slots.host",
  "the host already runs as many calls as it may",
);
const PLUGIN_QUEUE_FULL = busyRefusal(
  "LIMITER_QUEUE_FULL",
  "limiter.queue.plugin",
  "as many calls of the plugin wait already as may",
);
const HOST_QUEUE_FULL = busyRefusal(
  "LIMITER_QUEUE_FULL",
  "limiter.queue.host",
  "the queue is full and the plugin holds its share of it",
);

const TIMED_OUT = busyRefusal(
  "LIMITER_QUEUE_TIMEOUT",
  "limiter.queue.wait",
  "no slot became free for as long as a call may wait",
);

function busyRefusal(code: string, rule: string, reason: string): Refusal {
  return Object.freeze(refuse(code, rule, reason, BUSY_RETRY_MS));
}
