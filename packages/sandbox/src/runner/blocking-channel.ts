/**
 * @module The runner's end of the socket: blocking reads and writes on one descriptor, without an
 * event loop. That is what makes a call as fast as a thread's, host calls synchronous, and every
 * reply complete on the wire before the next call starts.
 */
import { readSync, writeSync } from "node:fs";

import { MAX_FRAME_PAYLOAD_BYTES, READ_BUFFER_BYTES, WRITE_BUFFER_BYTES } from "../limits.ts";
import {
  decodeHeader,
  encodeHeader,
  FRAME,
  type FrameType,
  HEADER_BYTES,
  NOT_COUNTED,
} from "../protocol/frame-table.ts";

/** One message from the host: chunks joined. */
export interface HostMessage {
  readonly type: number;
  readonly argument: number;
  readonly callId: number;
  /** May be a view of the read buffer: valid until the next message is received. */
  readonly payload: Uint8Array;
}

/** The host has closed the connection. */
export class HostGone extends Error {}

/** Where bytes come from and go to; both block, and answer how many they have moved. */
export interface Transport {
  /** 0: the other side has closed. */
  read(target: Uint8Array, at: number, max: number): number;
  write(bytes: Uint8Array, at: number, length: number): number;
}

/** A descriptor that blocks. */
export function overDescriptor(descriptor: number): Transport {
  return {
    read: (target, at, max) => readSync(descriptor, target, at, max, null),
    write: (bytes, at, length) => writeSync(descriptor, bytes, at, length, null),
  };
}

/** Frames over something that blocks. */
export class BlockingChannel {
  readonly #transport: Transport;
  readonly #input = new Uint8Array(READ_BUFFER_BYTES);
  #start = 0;
  #end = 0;
  readonly #output = new Uint8Array(WRITE_BUFFER_BYTES);
  /** Bytes of output that wait for the next message. */
  #held = 0;
  #largePayload = new Uint8Array(0);
  /** Calls that arrived while the answer to a host call was awaited; the host bounds them. */
  readonly #waiting: HostMessage[] = [];

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The next message; blocks until there is one. */
  receive(): HostMessage {
    return this.#waiting.shift() ?? this.#read();
  }

  /** The answer to a host call; calls that arrive before it are kept for later. */
  receiveHostResult(): HostMessage {
    for (;;) {
      const message = this.#read();
      if (message.type === FRAME.HOST_RESULT) return message;
      this.#waiting.push({ ...message, payload: message.payload.slice() });
    }
  }

  /** Sends a message, in chunks where it is large, and returns when the kernel has all of it. */
  send(
    type: FrameType,
    argument: number,
    callId: number,
    payload: Uint8Array,
    instructions: number = NOT_COUNTED,
  ): void {
    let at = 0;
    while (payload.length - at > MAX_FRAME_PAYLOAD_BYTES) {
      const chunk = payload.subarray(at, at + MAX_FRAME_PAYLOAD_BYTES);
      this.#write(FRAME.CHUNK, 0, callId, chunk, NOT_COUNTED);
      at += MAX_FRAME_PAYLOAD_BYTES;
    }
    this.#write(type, argument, callId, at === 0 ? payload : payload.subarray(at), instructions);
  }

  /**
   * Sends a small message together with the next one, if more input is here already: each write
   * wakes the host, which then takes this process's core. Never for a reply to a call, which must
   * not be lost with a later one.
   */
  sendWithNext(type: FrameType, argument: number, callId: number, payload: Uint8Array): void {
    const size = HEADER_BYTES + payload.length;
    if (this.#start === this.#end || this.#held + size > this.#output.length) {
      this.send(type, argument, callId, payload);
      return;
    }
    encodeHeader(this.#output, this.#held, type, argument, callId, payload.length);
    this.#output.set(payload, this.#held + HEADER_BYTES);
    this.#held += size;
  }

  #write(
    type: FrameType,
    argument: number,
    callId: number,
    payload: Uint8Array,
    instructions: number,
  ): void {
    const output = this.#output;
    if (this.#held + HEADER_BYTES > output.length) this.#flush();
    encodeHeader(output, this.#held, type, argument, callId, payload.length, instructions);
    this.#held += HEADER_BYTES;
    // A large payload fills the buffer, so that header and beginning are one write, and goes on from where it is.
    const copied = Math.min(payload.length, output.length - this.#held);
    output.set(copied === payload.length ? payload : payload.subarray(0, copied), this.#held);
    this.#held += copied;
    this.#flush();
    this.#writeAll(payload, payload.length, copied);
  }

  #flush(): void {
    const size = this.#held;
    this.#held = 0;
    this.#writeAll(this.#output, size, 0);
  }

  #writeAll(bytes: Uint8Array, length: number, from: number): void {
    let at = from;
    while (at < length) at += this.#transport.write(bytes, at, length - at);
  }

  #read(): HostMessage {
    let message = this.#readFrame();
    if (message.type !== FRAME.CHUNK) return message;
    const chunks: Uint8Array[] = [];
    while (message.type === FRAME.CHUNK) {
      chunks.push(message.payload.slice());
      message = this.#readFrame();
    }
    chunks.push(message.payload);
    return { ...message, payload: Buffer.concat(chunks) };
  }

  #readFrame(): HostMessage {
    this.#fill(HEADER_BYTES);
    const { length, type, argument, callId } = decodeHeader(this.#input, this.#start);
    this.#start += HEADER_BYTES;
    if (length <= READ_BUFFER_BYTES - HEADER_BYTES) {
      this.#fill(length);
      const payload = this.#input.subarray(this.#start, this.#start + length);
      this.#start += length;
      return { type, argument, callId, payload };
    }
    const payload = this.#large(length);
    const buffered = Math.min(length, this.#end - this.#start);
    payload.set(this.#input.subarray(this.#start, this.#start + buffered));
    this.#start += buffered;
    let at = buffered;
    while (at < length) at += this.#readInto(payload, at, length - at);
    return { type, argument, callId, payload };
  }

  /** Memory for a payload that the read buffer cannot hold, reused: fresh pages would cost more than the copy. */
  #large(length: number): Uint8Array {
    if (this.#largePayload.length < length)
      this.#largePayload = new Uint8Array(MAX_FRAME_PAYLOAD_BYTES);
    return this.#largePayload.subarray(0, length);
  }

  /** Blocks until `needed` bytes are buffered in one piece. */
  #fill(needed: number): void {
    if (this.#start === this.#end) {
      this.#start = 0;
      this.#end = 0;
    } else if (this.#start + needed > this.#input.length) {
      this.#input.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    while (this.#end - this.#start < needed) {
      this.#end += this.#readInto(this.#input, this.#end, this.#input.length - this.#end);
    }
  }

  #readInto(target: Uint8Array, at: number, max: number): number {
    const bytes = this.#transport.read(target, at, max);
    if (bytes === 0) throw new HostGone();
    return bytes;
  }
}
