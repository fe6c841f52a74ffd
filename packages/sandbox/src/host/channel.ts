/**
 * @module The host's end of a runner's socket: whole messages in, frames out. Small frames of one
 * tick leave in one write; large ones are written from the caller's memory and read straight into
 * memory that the receiver will own. Hot path: see bench `calls`.
 */
import type { OnReadOpts, Socket } from "node:net";

import { MAX_FRAME_PAYLOAD_BYTES, READ_BUFFER_BYTES, WRITE_BUFFER_BYTES } from "../limits.ts";
import { FrameReader, type FrameReceiver } from "../protocol/frame-reader.ts";
import { encodeHeader, FRAME, type FrameType, HEADER_BYTES } from "../protocol/frame-table.ts";

/** Read callbacks are synchronous, so that all channels of a host can share one buffer. */
const sharedReadBuffer = new Uint8Array(READ_BUFFER_BYTES);

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
      this.#onEnd();
    });
    socket.once("end", () => socket.destroy());
    socket.on("drain", () => {
      this.#congested = false;
      this.#onDrain();
    });
  }

  /** Number of reads so far: messages that arrive within one read belong to one batch. */
  get batch(): number {
    return this.#batch;
  }

  /** Whether more should not be sent now: the other side reads too slowly. */
  get congested(): boolean {
    return this.#congested;
  }

  /** Sends a message, in chunks where it is large. The payload must not change until it was read. */
  send(type: FrameType, argument: number, callId: number, payload: Uint8Array): void {
    let at = 0;
    while (payload.length - at > MAX_FRAME_PAYLOAD_BYTES) {
      this.#frame(FRAME.CHUNK, 0, callId, payload.subarray(at, at + MAX_FRAME_PAYLOAD_BYTES));
      at += MAX_FRAME_PAYLOAD_BYTES;
    }
    this.#frame(type, argument, callId, at === 0 ? payload : payload.subarray(at));
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
