/**
 * @module Incremental, bounded reading of frames on the host's side (invariant I3). Every byte is
 * attacker-controlled. Nothing is allocated before the header was checked; a frame allocates at
 * most one mebibyte, a chunked payload at most what the receiver said it accepts. Splitting the
 * bytes anywhere changes nothing.
 */
import { DIRECT_READ_BYTES, MAX_FRAME_PAYLOAD_BYTES } from "../limits.ts";
import {
  decodeHeader,
  FRAME,
  type FrameHeader,
  HEADER_BYTES,
  PROTOCOL_VERSION,
} from "./frame-table.ts";

/** What is wrong with the bytes; the reader is dead afterwards. */
export interface FrameViolation {
  readonly problem: string;
}

/** Receives whole messages: chunks already joined, memory owned by the receiver. */
export interface FrameReceiver {
  /** Most bytes that a message of this type may have now; `undefined` = not expected. */
  acceptsBytes(type: number): number | undefined;
  /** Answers `false` to stop reading (the connection is being closed). */
  onMessage(header: FrameHeader, payload: Uint8Array): boolean;
  onViolation(violation: FrameViolation): void;
}

const EMPTY = new Uint8Array(0);

/** Turns bytes as they arrive into messages. */
export class FrameReader {
  readonly #receiver: FrameReceiver;
  readonly #head = new Uint8Array(HEADER_BYTES);
  #headBytes = 0;
  #header: FrameHeader | undefined;
  #body: Uint8Array = EMPTY;
  #bodyBytes = 0;
  #chunks: Uint8Array[] = [];
  #chunkBytes = 0;
  #chunkCallId = 0;
  #dead = false;

  constructor(receiver: FrameReceiver) {
    this.#receiver = receiver;
  }

  /** Whether the stream may end here: not inside a frame or a chunked payload. */
  get atBoundary(): boolean {
    return this.#headBytes === 0 && this.#header === undefined && this.#chunks.length === 0;
  }

  /** Where a large payload wants its next bytes to be read straight to, if there is one. */
  directTarget(): Uint8Array | undefined {
    if (this.#header === undefined || this.#body.length - this.#bodyBytes < DIRECT_READ_BYTES) {
      return undefined;
    }
    return this.#body.subarray(this.#bodyBytes);
  }

  /** Takes note of bytes that were read into {@link directTarget}. */
  acceptDirect(bytes: number): void {
    this.#bodyBytes += bytes;
    if (this.#bodyBytes === this.#body.length) this.#finishBody();
  }

  /**
   * Takes `bytes` bytes of `source`, which is reused by the caller afterwards. Never a `Buffer`: its
   * `slice` shares memory, and a receiver owns what it gets.
   */
  accept(source: Uint8Array, bytes: number): void {
    let at = 0;
    while (at < bytes && !this.#dead) {
      if (this.#header === undefined) {
        const header = this.#takeHeader(source, at, bytes);
        at = header.next;
        if (header.value === undefined || !this.#admit(header.value)) continue;
        const { length } = header.value;
        if (bytes - at >= length) {
          const payload = length === 0 ? EMPTY : source.slice(at, at + length);
          at += length;
          this.#deliver(header.value, payload);
          continue;
        }
        this.#header = header.value;
        // Not zeroed: it is handed out only when every byte of it has been overwritten.
        this.#body = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
        this.#bodyBytes = 0;
      }
      const part = Math.min(bytes - at, this.#body.length - this.#bodyBytes);
      this.#body.set(source.subarray(at, at + part), this.#bodyBytes);
      this.#bodyBytes += part;
      at += part;
      if (this.#bodyBytes === this.#body.length) this.#finishBody();
    }
  }

  #takeHeader(
    source: Uint8Array,
    at: number,
    bytes: number,
  ): { value?: FrameHeader; next: number } {
    if (this.#headBytes === 0 && bytes - at >= HEADER_BYTES) {
      return { value: decodeHeader(source, at), next: at + HEADER_BYTES };
    }
    const part = Math.min(bytes - at, HEADER_BYTES - this.#headBytes);
    this.#head.set(source.subarray(at, at + part), this.#headBytes);
    this.#headBytes += part;
    if (this.#headBytes < HEADER_BYTES) return { next: at + part };
    this.#headBytes = 0;
    return { value: decodeHeader(this.#head, 0), next: at + part };
  }

  /** Checks a header before anything is allocated for its payload. */
  #admit(header: FrameHeader): boolean {
    if (header.version !== PROTOCOL_VERSION) {
      return this.#refuse(`protocol version ${header.version}, expected ${PROTOCOL_VERSION}`);
    }
    if (header.length > MAX_FRAME_PAYLOAD_BYTES) {
      return this.#refuse(`a frame of ${header.length} bytes, at most ${MAX_FRAME_PAYLOAD_BYTES}`);
    }
    if (this.#chunks.length > 0 && header.callId !== this.#chunkCallId) {
      return this.#refuse(
        `a frame of call ${header.callId} inside chunks of call ${this.#chunkCallId}`,
      );
    }
    const accepted = this.#receiver.acceptsBytes(header.type);
    if (accepted === undefined)
      return this.#refuse(`a frame of type ${header.type}, not expected now`);
    const total = this.#chunkBytes + header.length;
    if (total > accepted) {
      return this.#refuse(
        `a payload of ${total} bytes or more in type ${header.type}, at most ${accepted}`,
      );
    }
    if (header.type === FRAME.CHUNK && header.length === 0) return this.#refuse("an empty chunk");
    return true;
  }

  #finishBody(): void {
    const header = this.#header;
    const body = this.#body;
    this.#header = undefined;
    this.#body = EMPTY;
    this.#bodyBytes = 0;
    if (header !== undefined) this.#deliver(header, body);
  }

  #deliver(header: FrameHeader, payload: Uint8Array): void {
    if (header.type === FRAME.CHUNK) {
      this.#chunks.push(payload);
      this.#chunkBytes += payload.length;
      this.#chunkCallId = header.callId;
      return;
    }
    const whole = this.#chunks.length === 0 ? payload : this.#join(payload);
    if (!this.#receiver.onMessage(header, whole)) this.#dead = true;
  }

  #join(last: Uint8Array): Uint8Array {
    const whole = new Uint8Array(this.#chunkBytes + last.length);
    let at = 0;
    for (const chunk of this.#chunks) {
      whole.set(chunk, at);
      at += chunk.length;
    }
    whole.set(last, at);
    this.#chunks = [];
    this.#chunkBytes = 0;
    return whole;
  }

  #refuse(problem: string): false {
    this.#dead = true;
    this.#chunks = [];
    this.#receiver.onViolation({ problem });
    return false;
  }
}
