/**
 * @module Slots for running calls, and a bounded fair queue before them. Freed slots go round the
 * plugins that wait, one call each, so a plugin that floods its queue delays others by at most one
 * of its calls per slot (CWE-770). A more urgent call goes before all less urgent ones, and plugins
 * take turns among equals. Where the queue is full, room is taken from less urgent calls, then from
 * the plugins that hold more than an equal share of it, and never from those that hold less.
 */
import { type Refusal, refuse } from "@glovebox/core/decision";

import type { Lane, Waiter } from "./lane.ts";
import { BUSY_RETRY_MS } from "./limits.ts";
import { SlotPermit, type SlotOwner } from "./permit.ts";
import { PRIORITIES } from "./waiting-line.ts";

/** The bounds of a {@link Bulkhead}. */
export interface BulkheadLimits {
  readonly maxConcurrent: number;
  readonly maxQueued: number;
  readonly maxQueuedPerPlugin: number;
}

/** Slots and the queue before them. */
export class Bulkhead implements SlotOwner<Lane> {
  readonly #limits: BulkheadLimits;
  readonly #monotonicMs: () => number;
  /** Lanes that have waiting calls. */
  readonly #queued = new Set<Lane>();
  /** By rank, those of them with a slot of their own left, in the order of their turns. */
  readonly #ready: readonly Set<Lane>[] = PRIORITIES.map(() => new Set());
  #active = 0;
  #waiting = 0;

  constructor(limits: BulkheadLimits, monotonicMs: () => number) {
    this.#limits = limits;
    this.#monotonicMs = monotonicMs;
  }

  get active(): number {
    return this.#active;
  }

  get waiting(): number {
    return this.#waiting;
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
    if (this.#waiting < maxQueued) return undefined;
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

  /** Puts a waiting call at the end of its lane. */
  enqueue(waiter: Waiter): void {
    waiter.lane.waiters.add(waiter);
    this.#queued.add(waiter.lane);
    this.#waiting += 1;
    this.review(waiter.lane);
  }

  /** Takes a call out of the queue; its place is free at once, wherever it stood. */
  leave(waiter: Waiter): void {
    const { lane, rank } = waiter;
    if (!lane.waiters.delete(waiter)) return;
    this.#waiting -= 1;
    if (lane.waiters.sizeAt(rank) === 0) this.#ready[rank]?.delete(lane);
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
    for (const [rank, ready] of this.#ready.entries()) {
      // Adding a lane that is in the set already keeps its turn.
      if (lane.isReadyAt(rank)) ready.add(lane);
      else ready.delete(lane);
    }
    this.#dispatch();
  }

  /** A lane that is taken out and put back is visited again, after all others: round robin. */
  #dispatch(): void {
    for (const [rank, ready] of this.#ready.entries()) {
      for (const lane of ready) {
        if (this.#active >= this.#limits.maxConcurrent) return;
        ready.delete(lane);
        // Its last slot may have gone to a more urgent call of its own.
        if (!lane.isReadyAt(rank)) continue;
        const waiter = lane.waiters.oldestAt(rank);
        waiter?.settle(this.enter(lane, this.#monotonicMs() - waiter.sinceMs));
        if (lane.isReadyAt(rank)) ready.add(lane);
      }
    }
  }
}

/** Ends one call's wait for the sake of another, or refuses that other. */
function pushOut(victim: Waiter | undefined, refusal: Refusal): Refusal | undefined {
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

function busyRefusal(code: string, rule: string, reason: string): Refusal {
  return Object.freeze(refuse(code, rule, reason, BUSY_RETRY_MS));
}
