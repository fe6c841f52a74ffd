/**
 * @module Where events are sent besides the log. What a sink gets is what stands in the log: personal
 * fields encrypted or under a pseudonym, so that an erasure reaches every copy that was ever sent
 * (threat: erased-subject-in-sink).
 */
import type { FoundEvent } from "../query/event-filter.ts";

/** An event as a sink gets it. */
export interface SinkEvent extends FoundEvent {
  /** The entry as it stands in the log: canonical JSON. */
  readonly json: string;
}

/** What became of a batch. */
export interface SinkResult {
  /** Events that the receiver refused for good; they are counted as lost. */
  readonly rejected: number;
}

/** A receiver of events. */
export interface Sink extends AsyncDisposable {
  /** Names it in events about delivery: 1–64 lower-case letters, digits and dashes. */
  readonly name: string;
  /**
   * Sends a batch, in order. Resolves when the receiver has it, as far as its protocol tells;
   * rejects when it is worth another try. Batches may come twice, so that each event carries its
   * (origin, index).
   */
  send(batch: readonly SinkEvent[], signal: AbortSignal): Promise<SinkResult>;
}
