/**
 * @module A request's body from the plugin to the wire: bounded, and through a scanner that may hold
 * some of it back. A body that is whole before anything is sent goes out with its length, and can go
 * out again after a redirect; a longer one is streamed, once.
 */
import type { Decision } from "@glovebox/core/decision";

import { BrokerError } from "../errors.ts";
import type { Inspected, InspectionBlock, Transform } from "../inspection/transform.ts";
import { MAX_BUFFERED_BYTES } from "../limits.ts";

/** What a body asks of its exchange. */
export interface RequestBodyEvents {
  /** Counts bytes before they are sent. */
  countSent(bytes: number): Decision<void>;
  /** The body does not fit the buffer: it has to go out as it comes. */
  onOverflow(): void;
  onBlocked(block: InspectionBlock): BrokerError;
}

/** Bytes that a body is cut into: four fit the buffer. */
const MAX_PIECE_BYTES = MAX_BUFFERED_BYTES / 4;

/** A body on its way out; a class, for every request has one (bench: https_request_vs_undici). */
export class RequestBody {
  readonly #maxBytes: number;
  readonly #inspection: Transform | undefined;
  readonly #events: RequestBodyEvents;
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #bytes = 0;
  #isFinished = false;
  #isStreamed = false;
  #isStopped = false;
  // One waiter each: who writes waits for room, the stream for more bytes.
  #wakeWriter: (() => void) | undefined;
  #wakeStream: (() => void) | undefined;

  /** An empty body. */
  constructor(maxBytes: number, inspection: Transform | undefined, events: RequestBodyEvents) {
    this.#maxBytes = maxBytes;
    this.#inspection = inspection;
    this.#events = events;
  }

  /** Bytes that the plugin wrote. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The whole body, once it is finished and as long as none of it was streamed. */
  get whole(): Buffer | undefined {
    return this.#isFinished && !this.#isStreamed ? Buffer.concat(this.#waiting) : undefined;
  }

  /** Waits for room. Rejects with what must end the exchange. */
  async write(given: Uint8Array): Promise<void> {
    this.#bytes += given.length;
    if (this.#bytes > this.#maxBytes) throw new BrokerError("BROKER_REQUEST_SIZE");
    for (let at = 0; at < given.length; at += MAX_PIECE_BYTES) {
      // An owned copy, for its holder may change the bytes while they wait. Not slice(): of a Buffer
      // that is a view, and what was inspected would not be what is sent (CWE-367).
      const piece = new Uint8Array(given.subarray(at, at + MAX_PIECE_BYTES));
      const released =
        this.#inspection === undefined ? piece : this.#inspected(this.#inspection.push(piece));
      for (let from = 0; from < released.length; from += MAX_PIECE_BYTES) {
        const part = released.subarray(from, from + MAX_PIECE_BYTES);
        await this.#room(part.length);
        if (!this.#isStopped) this.#queue(part);
      }
    }
  }

  finish(): void {
    if (this.#inspection !== undefined) this.#queue(this.#inspected(this.#inspection.end()));
    this.#isFinished = true;
    this.#wakeStream?.();
  }

  async *stream(): AsyncGenerator<Uint8Array> {
    this.#isStreamed = true;
    for (;;) {
      if (this.#isStopped) return;
      const piece = this.#waiting.shift();
      if (piece !== undefined) {
        this.#waitingBytes -= piece.length;
        this.#wakeWriter?.();
        yield piece;
      } else if (this.#isFinished) return;
      else await new Promise<void>((wake) => (this.#wakeStream = wake));
    }
  }

  /** Nothing more goes out; whoever waits goes on. */
  stop(): void {
    this.#isStopped = true;
    this.#wakeWriter?.();
    this.#wakeStream?.();
  }

  #queue(piece: Uint8Array): void {
    if (piece.length === 0) return;
    const counted = this.#events.countSent(piece.length);
    if (!counted.allowed) throw new BrokerError("BROKER_QUOTA", { message: counted.reason });
    this.#waiting.push(piece);
    this.#waitingBytes += piece.length;
    this.#wakeStream?.();
  }

  #inspected({ release, block }: Inspected): Uint8Array {
    if (block !== undefined) throw this.#events.onBlocked(block);
    return release;
  }

  /** Whether a piece fits now, or nobody wants it any more. */
  #goesOn(length: number): boolean {
    return this.#isStopped || this.#waitingBytes + length <= MAX_BUFFERED_BYTES;
  }

  async #room(length: number): Promise<void> {
    while (!this.#goesOn(length)) {
      if (!this.#isStreamed) this.#events.onOverflow();
      await new Promise<void>((wake) => (this.#wakeWriter = wake));
    }
  }
}
