/**
 * @module The commands that wait for one runner, in the order in which it answers them; the first
 * is the one that runs. Bounded in number and in bytes, so that callers of a spinning plugin cannot
 * fill the host's memory.
 */
import type { SandboxError } from "../errors.ts";
import { MAX_QUEUED_CALLS, MAX_QUEUED_INPUT_BYTES } from "../limits.ts";
import { FRAME } from "../protocol/frame-table.ts";
import type { Exchange } from "./exchange.ts";
import type { HostSide } from "./host-side.ts";
import { queueFull } from "./runner-errors.ts";

/** A command in the queue. */
export interface Queued {
  readonly exchange: Exchange;
  readonly callId: number;
  startedMs: number;
  startedCpuMs: number;
  hostCalls: number;
  /** Its caller has its answer already; the runner may not know. */
  settled: boolean;
  sent: boolean;
  /** The host call that was refused last, with the reason that only the operator sees. */
  refusal: SandboxError | undefined;
  /** Absent until the first host call. */
  hostSide: HostSide | undefined;
  /** Whether the abort watch has found it waiting before, and its listener once it has one. */
  isSeen: boolean;
  abortListener: (() => void) | undefined;
}

/** Commands of one runner. */
export class CallQueue {
  readonly #queued: Queued[] = [];
  #bytes = 0;
  #lastCallId = 0;

  get size(): number {
    return this.#queued.length;
  }

  /** The command that runs. */
  get running(): Queued | undefined {
    return this.#queued[0];
  }

  /**
   * Why no more fits; one call always does, whatever its size. Modules of a load are the host's own
   * and bounded by it, metered ones beyond what callers may leave here.
   */
  refusalFor(exchange: Exchange): SandboxError | undefined {
    const { length } = this.#queued;
    const tooMany = length >= MAX_QUEUED_CALLS;
    const isInput = exchange.type === FRAME.CALL;
    const tooMuch =
      isInput && length > 0 && this.#bytes + exchange.payload.length > MAX_QUEUED_INPUT_BYTES;
    return tooMany || tooMuch ? queueFull(length, this.#bytes) : undefined;
  }

  push(exchange: Exchange): Queued {
    this.#lastCallId = (this.#lastCallId + 1) >>> 0;
    const queued: Queued = {
      exchange,
      callId: this.#lastCallId,
      startedMs: 0,
      startedCpuMs: 0,
      hostCalls: 0,
      settled: false,
      sent: false,
      refusal: undefined,
      hostSide: undefined,
      isSeen: false,
      abortListener: undefined,
    };
    this.#queued.push(queued);
    this.#bytes += exchange.payload.length;
    return queued;
  }

  /** Takes out the command that was answered. */
  shift(): void {
    this.#bytes -= this.#queued.shift()?.exchange.payload.length ?? 0;
  }

  find(exchange: Exchange): Queued | undefined {
    return this.#queued.find((queued) => queued.exchange === exchange);
  }

  remove(queued: Queued): void {
    this.#queued.splice(this.#queued.indexOf(queued), 1);
    this.#bytes -= queued.exchange.payload.length;
  }

  /** Empties the queue. */
  takeAll(): readonly Queued[] {
    this.#bytes = 0;
    return this.#queued.splice(0);
  }

  /** All commands, in order. */
  [Symbol.iterator](): Iterator<Queued> {
    return this.#queued[Symbol.iterator]();
  }

  /** Those that were not sent yet, in order. */
  *unsent(): Generator<Queued> {
    for (const queued of this.#queued) if (!queued.sent) yield queued;
  }
}
