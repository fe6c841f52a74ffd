/**
 * @module A response's body from the wire to its reader: bounded, decoded, searched for secrets. The
 * reader decides how fast it comes: beyond {@link PAUSE_READING_BYTES} decoding stops, then the
 * reading from the socket.
 */
import { BrokerError } from "../errors.ts";
import type { NetworkLimits } from "../grant/grant.ts";
import { PAUSE_READING_BYTES } from "../limits.ts";
import { type Coding, createDecoder, type Decoder } from "./decode.ts";
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

/** A body on its way. */
export interface ResponseBody {
  readonly wireBytes: number;
  readonly decodedBytes: number;
  /** Nothing more comes, and all that came may be taken. */
  readonly isWhole: boolean;
  /** Whether reading from the socket was stopped since this was last asked. */
  wasPaused(): boolean;
  push(chunk: Uint8Array): void;
  end(): void;
  /** At most `max` bytes, as the reader's own copy. */
  take(max: number): Uint8Array | undefined;
  discard(): void;
}

/** A body of which nothing has come. */
export function createResponseBody(
  codings: readonly Coding[],
  limits: NetworkLimits,
  search: SecretSearch | undefined,
  events: BodyEvents,
): ResponseBody {
  const ready: Uint8Array[] = [];
  let decoder: Decoder | undefined;
  let readyBytes = 0;
  let wireBytes = 0;
  let decodedBytes = 0;
  let isWhole = false;
  let isFull = false;
  let isBacklogged = false;
  let wasPaused = false;

  function repause(): void {
    const isPaused = isFull || isBacklogged;
    wasPaused ||= isPaused;
    events.setPaused(isPaused);
  }

  function setFull(next: boolean): void {
    if (isFull === next) return;
    isFull = next;
    if (next) decoder?.pause();
    else decoder?.resume();
    repause();
  }

  function add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    ready.push(bytes);
    readyBytes += bytes.length;
    if (readyBytes >= PAUSE_READING_BYTES) setFull(true);
    events.onReady();
  }

  function onDecoded(bytes: Uint8Array): void {
    decodedBytes += bytes.length;
    if (decodedBytes > limits.maxDecodedBytes)
      return events.onFailure(new BrokerError("BROKER_DECODED_SIZE"));
    if (search === undefined) return add(bytes);
    const released = search.push(bytes);
    if (released === undefined) events.onFailure(new BrokerError("BROKER_SECRET_REFLECTED"));
    else add(released);
  }

  function finish(): void {
    if (search !== undefined) add(search.end());
    isWhole = true;
    events.onWhole();
    events.onReady();
  }

  function decoderOf(): Decoder {
    decoder ??= createDecoder(codings, limits, {
      onData: onDecoded,
      onDrain() {
        isBacklogged = false;
        repause();
      },
      onEnd: finish,
      onError: (error) => events.onFailure(error),
    });
    return decoder;
  }

  return {
    get wireBytes() {
      return wireBytes;
    },
    get decodedBytes() {
      return decodedBytes;
    },
    get isWhole() {
      return isWhole;
    },
    wasPaused() {
      const was = wasPaused;
      wasPaused = isFull || isBacklogged;
      return was;
    },
    push(chunk) {
      wireBytes += chunk.length;
      if (wireBytes > limits.maxResponseBytes)
        return events.onFailure(new BrokerError("BROKER_RESPONSE_SIZE"));
      if (codings.length === 0) return onDecoded(chunk);
      if (decoderOf().write(chunk)) return;
      isBacklogged = true;
      repause();
    },
    end() {
      // A coding over nothing at all is nothing: answers to HEAD, 204 and 304 are such.
      if (codings.length === 0 || wireBytes === 0) finish();
      else decoderOf().end();
    },
    take(max) {
      const chunk = ready[0];
      if (chunk === undefined) return undefined;
      if (chunk.length > max) ready[0] = chunk.subarray(max);
      else ready.shift();
      // An owned copy: a view would show its holder the rest of a shared buffer.
      const bytes = new Uint8Array(chunk.subarray(0, max));
      readyBytes -= bytes.length;
      if (readyBytes < PAUSE_READING_BYTES) setFull(false);
      return bytes;
    },
    discard() {
      ready.length = 0;
      readyBytes = 0;
      decoder?.destroy();
    },
  };
}
