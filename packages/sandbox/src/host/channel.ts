/**
 * @module The host's end of a runner's socket: whole messages in, frames out. Small frames of one
 * tick leave in one write; large ones are written from the caller's memory and read straight into
 * memory that the receiver will own. What is larger than a frame leaves frame by frame, each once the
 * one before it has left, so that a large module does not hold up the event loop. Hot path: see bench
 * `calls`.
 */
import type { OnReadOpts, Socket } from "node:net";

import { MAX_FRAME_PAYLOAD_BYTES, READ_BUFFER_BYTES, WRITE_BUFFER_BYTES } from "../limits.ts";
import { FrameReader, type FrameReceiver } from "../protocol/frame-reader.ts";
import { encodeHeader, FRAME, type FrameType, HEADER_BYTES } from "../protocol/frame-table.ts";

/** Read callbacks are synchronous, so that all channels of a host can share one buffer. */
const sharedReadBuffer = new Uint8Array(READ_BUFFER_BYTES);

/** A message that could not leave at once. */
interface Waiting {
  readonly type: FrameType;
  readonly argument: number;
  readonly callId: number;
  /** What is left of it. */
  payload: Uint8Array;
}

/** Frames over one socket. */
export class Channel {
  readonly #reader: FrameReader;
  readonly #onEnd: () => void;
  readonly #onDrain: () => void;
  #socket: Socket | undefined;
  #direct: Uint8Array | undefined;
  #closed = false;
  #batch = 0;
  #output = Buffer.allocUnsafeSlow(WRITE_BUFFER_BYTES);
  #outputBytes = 0;
  #flushScheduled = false;
  #congested = false;
  /** In their order; the first may have left in part, and nothing may come between its chunks. */
  readonly #waiting: Waiting[] = [];

  /** `onEnd` runs once, after the last message; `onDrain` when {@link congested} has become false. */
  constructor(receiver: FrameReceiver, onEnd: () => void, onDrain: () => void) {
    this.#reader = new FrameReader(receiver);
    this.#onEnd = onEnd;
    this.#onDrain = onDrain;
  }

  /** Options that make a socket read into this channel. */
  get onread(): OnReadOpts {
    return {
      buffer: () => {
        this.#direct = this.#reader.directTarget();
        return this.#direct ?? sharedReadBuffer;
      },
      callback: (bytes) => {
        this.#batch += 1;
        if (this.#direct === undefined) this.#reader.accept(sharedReadBuffer, bytes);
        else this.#reader.acceptDirect(bytes);
        return true;
      },
    };
  }

  /** Starts using a socket that was made with {@link onread}. */
  attach(socket: Socket): void {
    this.#socket = socket;
    // A reset is an end like any other: the process that held the other end has died.
    socket.on("error", () => undefined);
    socket.once("close", () => {
      this.#closed = true;
      this.#waiting.length = 0;
      this.#onEnd();
    });
    socket.once("end", () => socket.destroy());
    socket.on("drain", () => {
      this.#congested = false;
      this.#sendWaiting();
      if (!this.congested) this.#onDrain();
    });
  }

  /** Number of reads so far: messages that arrive within one read belong to one batch. */
  get batch(): number {
    return this.#batch;
  }

  /** Whether more should not be sent now: the other side reads too slowly. */
  get congested(): boolean {
    return this.#congested || this.#waiting.length > 0;
  }

  /** Sends a message, in chunks where it is large. The payload must not change until it was read. */
  send(type: FrameType, argument: number, callId: number, payload: Uint8Array): void {
    if (this.#waiting.length === 0 && payload.length <= MAX_FRAME_PAYLOAD_BYTES) {
      this.#frame(type, argument, callId, payload);
      return;
    }
    if (this.#closed) return;
    this.#waiting.push({ type, argument, callId, payload });
    if (this.#waiting.length === 1) this.#sendWaiting();
  }

  /** Until the socket has enough: a frame that leaves whole has it say `drain`. */
  #sendWaiting(): void {
    while (this.#waiting.length > 0 && !this.#congested) {
      const [first] = this.#waiting as [Waiting];
      const { type, argument, callId, payload } = first;
      if (payload.length <= MAX_FRAME_PAYLOAD_BYTES) {
        this.#waiting.shift();
        this.#frame(type, argument, callId, payload);
      } else {
        this.#frame(FRAME.CHUNK, 0, callId, payload.subarray(0, MAX_FRAME_PAYLOAD_BYTES));
        first.payload = payload.subarray(MAX_FRAME_PAYLOAD_BYTES);
      }
    }
  }

  /** Drops the connection; messages that were not read yet are lost. */
  destroy(): void {
    this.#socket?.destroy();
  }

  #frame(type: FrameType, argument: number, callId: number, payload: Uint8Array): void {
    const size = HEADER_BYTES + payload.length;
    if (size > WRITE_BUFFER_BYTES / 2) {
      this.#flush();
      const header = Buffer.allocUnsafeSlow(HEADER_BYTES);
      encodeHeader(header, 0, type, argument, callId, payload.length);
      this.#socket?.cork();
      this.#write(header);
      this.#write(payload);
      this.#socket?.uncork();
      return;
    }
    if (this.#outputBytes + size > WRITE_BUFFER_BYTES) this.#flush();
    encodeHeader(this.#output, this.#outputBytes, type, argument, callId, payload.length);
    this.#output.set(payload, this.#outputBytes + HEADER_BYTES);
    this.#outputBytes += size;
    if (!this.#flushScheduled) {
      this.#flushScheduled = true;
      process.nextTick(this.#flushLater);
    }
  }

  readonly #flushLater = (): void => {
    this.#flushScheduled = false;
    this.#flush();
  };

  #flush(): void {
    if (this.#outputBytes === 0) return;
    const bytes = this.#output.subarray(0, this.#outputBytes);
    this.#outputBytes = 0;
    this.#write(bytes);
    // Unless the kernel took everything at once, the socket still holds the buffer.
    if (this.#socket?.writableLength !== 0)
      this.#output = Buffer.allocUnsafeSlow(WRITE_BUFFER_BYTES);
  }

  #write(bytes: Uint8Array): void {
    if (this.#closed || this.#socket === undefined || this.#socket.destroyed) return;
    if (!this.#socket.write(bytes)) this.#congested = true;
  }
}
