/**
 * @module A response's body from the wire to its reader: bounded, decoded, searched for secrets. The
 * reader decides how fast it comes: beyond {@link PAUSE_READING_BYTES} decoding stops, then the
 * reading from the socket.
 */
import { BrokerError } from "../errors.ts";
import type { NetworkLimits } from "../grant/grant.ts";
import { PAUSE_READING_BYTES } from "../limits.ts";
import { type Coding, createDecoder, type Decoder, type DecodeSink } from "./decode.ts";
import type { SecretSearch } from "./secret.ts";

/** What a body tells. */
export interface BodyEvents {
  /** Stop or go on reading from the socket. */
  setPaused(isPaused: boolean): void;
  /** There is something to take, or the end. */
  onReady(): void;
  /** The last byte has been decoded and searched. */
  onWhole(): void;
  onFailure(error: BrokerError): void;
}

/** A body on its way; a class, for every request has one (bench: https_request_vs_undici). */
export class ResponseBody implements DecodeSink {
  readonly #codings: readonly Coding[];
  readonly #limits: NetworkLimits;
  readonly #search: SecretSearch | undefined;
  readonly #events: BodyEvents;
  readonly #ready: Uint8Array[] = [];
  #decoder: Decoder | undefined;
  #readyBytes = 0;
  #wireBytes = 0;
  #decodedBytes = 0;
  #isWhole = false;
  #isFull = false;
  #isBacklogged = false;
  #wasPaused = false;

  /** A body of which nothing has come. */
  constructor(
    codings: readonly Coding[],
    limits: NetworkLimits,
    search: SecretSearch | undefined,
    events: BodyEvents,
  ) {
    this.#codings = codings;
    this.#limits = limits;
    this.#search = search;
    this.#events = events;
  }

  get wireBytes(): number {
    return this.#wireBytes;
  }

  get decodedBytes(): number {
    return this.#decodedBytes;
  }

  /** Nothing more comes, and all that came may be taken. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Whether reading from the socket was stopped since this was last asked. */
  wasPaused(): boolean {
    const was = this.#wasPaused;
    this.#wasPaused = this.#isFull || this.#isBacklogged;
    return was;
  }

  push(chunk: Uint8Array): void {
    this.#wireBytes += chunk.length;
    if (this.#wireBytes > this.#limits.maxResponseBytes)
      return this.#events.onFailure(new BrokerError("BROKER_RESPONSE_SIZE"));
    if (this.#codings.length === 0) return this.onData(chunk);
    if (this.#decoderOf().write(chunk)) return;
    this.#isBacklogged = true;
    this.#repause();
  }

  end(): void {
    // A coding over nothing at all is nothing: answers to HEAD, 204 and 304 are such.
    if (this.#codings.length === 0 || this.#wireBytes === 0) this.onEnd();
    else this.#decoderOf().end();
  }

  /** At most `max` bytes, as the reader's own copy. */
  take(max: number): Uint8Array | undefined {
    const chunk = this.#ready[0];
    if (chunk === undefined) return undefined;
    if (chunk.length > max) this.#ready[0] = chunk.subarray(max);
    else this.#ready.shift();
    // An owned copy: a view would show its holder the rest of a shared buffer.
    const bytes = new Uint8Array(chunk.subarray(0, max));
    this.#readyBytes -= bytes.length;
    if (this.#readyBytes < PAUSE_READING_BYTES) this.#setFull(false);
    return bytes;
  }

  discard(): void {
    this.#ready.length = 0;
    this.#readyBytes = 0;
    this.#decoder?.destroy();
  }

  /** Decoded bytes. */
  onData(bytes: Uint8Array): void {
    this.#decodedBytes += bytes.length;
    if (this.#decodedBytes > this.#limits.maxDecodedBytes)
      return this.#events.onFailure(new BrokerError("BROKER_DECODED_SIZE"));
    if (this.#search === undefined) return this.#add(bytes);
    const released = this.#search.push(bytes);
    if (released === undefined) this.#events.onFailure(new BrokerError("BROKER_SECRET_REFLECTED"));
    else this.#add(released);
  }

  onDrain(): void {
    this.#isBacklogged = false;
    this.#repause();
  }

  onEnd(): void {
    if (this.#search !== undefined) this.#add(this.#search.end());
    this.#isWhole = true;
    this.#events.onWhole();
    this.#events.onReady();
  }

  onError(error: BrokerError): void {
    this.#events.onFailure(error);
  }

  #decoderOf(): Decoder {
    this.#decoder ??= createDecoder(this.#codings, this.#limits, this);
    return this.#decoder;
  }

  #add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#ready.push(bytes);
    this.#readyBytes += bytes.length;
    if (this.#readyBytes >= PAUSE_READING_BYTES) this.#setFull(true);
    this.#events.onReady();
  }

  #setFull(next: boolean): void {
    if (this.#isFull === next) return;
    this.#isFull = next;
    if (next) this.#decoder?.pause();
    else this.#decoder?.resume();
    this.#repause();
  }

  #repause(): void {
    const isPaused = this.#isFull || this.#isBacklogged;
    this.#wasPaused ||= isPaused;
    this.#events.setPaused(isPaused);
  }
}
