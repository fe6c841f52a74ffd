/**
 * @module A request's body from the plugin to the wire: bounded, and through a scanner that may hold
 * some of it back. A body that is whole before anything is sent goes out with its length, and can go
 * out again after a redirect; a longer one is streamed, once.
 */
import type { Decision } from "@glovebox/core/decision";

import { BrokerError } from "../errors.ts";
import type { Inspected, InspectionBlock, Transform } from "../inspection/transform.ts";
import { MAX_BUFFERED_BYTES } from "../limits.ts";

/** What a body is written through. */
export interface RequestBodyContext {
  readonly maxBytes: number;
  readonly inspection: Transform | undefined;
  /** Counts bytes before they are sent. */
  readonly count: (bytes: number) => Decision<void>;
  /** The body does not fit the buffer: it has to go out as it comes. */
  readonly onOverflow: () => void;
  readonly onBlocked: (block: InspectionBlock) => BrokerError;
}

/** A body on its way out. */
export interface RequestBody {
  /** Bytes that the plugin wrote. */
  readonly bytes: number;
  /** The whole body, once it is finished and as long as none of it was streamed. */
  readonly whole: Buffer | undefined;
  /** Waits for room. Rejects with what must end the exchange. */
  write(bytes: Uint8Array): Promise<void>;
  finish(): void;
  stream(): AsyncGenerator<Uint8Array>;
  /** Nothing more goes out; whoever waits goes on. */
  stop(): void;
}

/** Bytes that a body is cut into: four fit the buffer. */
const MAX_PIECE_BYTES = MAX_BUFFERED_BYTES / 4;

/** An empty body. */
export function createRequestBody(context: RequestBodyContext): RequestBody {
  const { inspection } = context;
  const waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let bytes = 0;
  let isFinished = false;
  let isStreamed = false;
  let isStopped = false;
  // One waiter each: who writes waits for room, the stream for more bytes.
  let wakeWriter: (() => void) | undefined;
  let wakeStream: (() => void) | undefined;

  function queue(piece: Uint8Array): void {
    if (piece.length === 0) return;
    const counted = context.count(piece.length);
    if (!counted.allowed) throw new BrokerError("BROKER_QUOTA", { message: counted.reason });
    waiting.push(piece);
    waitingBytes += piece.length;
    wakeStream?.();
  }

  function inspected({ release, block }: Inspected): Uint8Array {
    if (block !== undefined) throw context.onBlocked(block);
    return release;
  }

  /** Whether a piece fits now, or nobody wants it any more. */
  function goesOn(length: number): boolean {
    return isStopped || waitingBytes + length <= MAX_BUFFERED_BYTES;
  }

  async function room(length: number): Promise<void> {
    while (!goesOn(length)) {
      if (!isStreamed) context.onOverflow();
      await new Promise<void>((wake) => (wakeWriter = wake));
    }
  }

  return {
    get bytes() {
      return bytes;
    },
    get whole() {
      return isFinished && !isStreamed ? Buffer.concat(waiting) : undefined;
    },
    async write(given) {
      bytes += given.length;
      if (bytes > context.maxBytes) throw new BrokerError("BROKER_REQUEST_SIZE");
      for (let at = 0; at < given.length; at += MAX_PIECE_BYTES) {
        // An owned copy, for its holder may change the bytes while they wait. Not slice(): of a Buffer
        // that is a view, and what was inspected would not be what is sent (CWE-367).
        const piece = new Uint8Array(given.subarray(at, at + MAX_PIECE_BYTES));
        const released = inspection === undefined ? piece : inspected(inspection.push(piece));
        for (let from = 0; from < released.length; from += MAX_PIECE_BYTES) {
          const part = released.subarray(from, from + MAX_PIECE_BYTES);
          await room(part.length);
          if (!isStopped) queue(part);
        }
      }
    },
    finish() {
      if (inspection !== undefined) queue(inspected(inspection.end()));
      isFinished = true;
      wakeStream?.();
    },
    async *stream() {
      isStreamed = true;
      for (;;) {
        if (isStopped) return;
        const piece = waiting.shift();
        if (piece !== undefined) {
          waitingBytes -= piece.length;
          wakeWriter?.();
          yield piece;
        } else if (isFinished) return;
        else await new Promise<void>((wake) => (wakeStream = wake));
      }
    },
    stop() {
      isStopped = true;
      wakeWriter?.();
      wakeStream?.();
    },
  };
}
