/**
 * @module One HTTP exchange as pulled streams (contract.md 7). The plugin decides how fast bytes
 * come and go, so each direction is bounded: beyond {@link MAX_BUFFERED_BYTES} a write waits, and
 * reading from the socket pauses. Whatever ends an exchange early ends it once, with one code.
 */
import type { Clock, Timer } from "@glovebox/core/clock";
import type { HttpExchange, HttpResponseHead } from "@glovebox/core/ports";
import type { Dispatcher } from "undici";

import { BrokerError, type BrokerErrorCode } from "../errors.ts";
import type { NetworkLimits } from "../grant/grant.ts";
import { MAX_BUFFERED_BYTES, PAUSE_READING_BYTES } from "../limits.ts";
import type { ParsedTarget } from "./decide.ts";
import { type Stage, checkTrailers, codeOfFailure, readHead } from "./response-head.ts";

/** How an exchange ended. */
export interface ExchangeEnd {
  readonly code?: BrokerErrorCode;
  readonly status?: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
}

/** What an exchange works with. */
export interface ExchangeContext {
  readonly dispatcher: Dispatcher;
  readonly target: ParsedTarget;
  readonly headers: readonly string[];
  readonly limits: NetworkLimits;
  readonly clock: Clock;
  /** Throws when the grant or the call is over; asked at each use, also for bytes that wait here. */
  readonly assertUsable: () => void;
  /** Called once, when the last byte has come or something broke. */
  readonly onEnd: (end: ExchangeEnd) => void;
}

/** An exchange and the way to break it from outside. */
export interface RunningExchange {
  readonly exchange: HttpExchange;
  fail(code: BrokerErrorCode): void;
}

type State = "writing" | "sent" | "ended" | "failed";

/** An exchange that has not sent anything yet. */
export function createExchange(context: ExchangeContext): RunningExchange {
  const { target, limits, clock, dispatcher } = context;
  const mayHaveBody = target.method !== "GET" && target.method !== "HEAD";
  const head = Promise.withResolvers<HttpResponseHead>();
  head.promise.catch(() => undefined);
  const timers = new Set<Timer>();
  const outgoing: Uint8Array[] = [];
  const incoming: Uint8Array[] = [];
  let state: State = "writing";
  let failure: BrokerError | undefined;
  let controller: Dispatcher.DispatchController | undefined;
  let isDispatched = false;
  let isWriting = false;
  let isReading = false;
  let outgoingBytes = 0;
  let incomingBytes = 0;
  let requestBytes = 0;
  let responseBytes = 0;
  let informational = 0;
  let status: number | undefined;
  let firstByte: Timer | undefined;
  // One waiter each: who writes waits for room, the body for more bytes, who reads for data.
  let wakeWriter: (() => void) | undefined;
  let wakeBody: (() => void) | undefined;
  let wakeReader: (() => void) | undefined;

  function startTimer(afterMs: number, code: BrokerErrorCode): Timer {
    const timer = clock.setTimer(afterMs, () => fail(new BrokerError(code)));
    timers.add(timer);
    return timer;
  }

  function stage(): Stage {
    if (controller === undefined) return "connecting";
    return status === undefined ? "waiting" : "reading";
  }

  function wakeAll(): void {
    wakeWriter?.();
    wakeBody?.();
    wakeReader?.();
  }

  function end(next: "ended" | "failed"): void {
    state = next;
    for (const timer of timers) timer.cancel();
    timers.clear();
    context.onEnd({
      ...(failure === undefined ? {} : { code: failure.code }),
      ...(status === undefined ? {} : { status }),
      requestBytes,
      responseBytes,
    });
    wakeAll();
  }

  function fail(error: BrokerError): void {
    if (state === "failed" || state === "ended") return;
    failure = error;
    outgoing.length = 0;
    // What was read and not yet taken is dropped: half an answer is no answer.
    incoming.length = 0;
    head.reject(error);
    end("failed");
    controller?.abort(error);
  }

  function assertWhole(): void {
    if (failure !== undefined) throw failure;
  }

  function assertUsable(): void {
    assertWhole();
    context.assertUsable();
  }

  async function* streamedBody(): AsyncGenerator<Uint8Array> {
    for (;;) {
      assertWhole();
      const piece = outgoing.shift();
      if (piece !== undefined) {
        outgoingBytes -= piece.length;
        wakeWriter?.();
        yield piece;
      } else if (state === "writing") {
        await new Promise<void>((wake) => (wakeBody = wake));
      } else return;
    }
  }

  function dispatch(body: AsyncGenerator<Uint8Array> | Uint8Array | null): void {
    isDispatched = true;
    const options: Dispatcher.DispatchOptions = {
      origin: originOf(target),
      path: target.path,
      method: target.method,
      headers: [...context.headers],
      // undici takes any async iterable; its types name only streams.
      body: body as Uint8Array | null,
      // Time is kept here, on the injected clock.
      headersTimeout: 0,
      bodyTimeout: 0,
    };
    try {
      dispatcher.dispatch(options, handler);
    } catch (error) {
      fail(new BrokerError("BROKER_CONNECT", { cause: error }));
    }
  }

  const handler: Dispatcher.DispatchHandler = {
    onRequestStart(started) {
      controller = started;
      if (failure !== undefined) started.abort(failure);
    },
    onResponseStart(started, code) {
      const read = readHead(
        started.rawHeaders,
        code,
        ++informational,
        target.method,
        limits.maxResponseBytes,
      );
      if (read === "informational") return;
      if (typeof read === "string") return fail(new BrokerError(read));
      ({ status } = read);
      firstByte?.cancel();
      head.resolve(read);
    },
    onResponseData(started, chunk) {
      responseBytes += chunk.length;
      if (responseBytes > limits.maxResponseBytes)
        return fail(new BrokerError("BROKER_RESPONSE_SIZE"));
      incoming.push(chunk);
      incomingBytes += chunk.length;
      if (incomingBytes >= PAUSE_READING_BYTES) started.pause();
      wakeReader?.();
    },
    onResponseEnd(started) {
      if (!checkTrailers(started.rawTrailers)) return fail(new BrokerError("BROKER_RESPONSE_HEAD"));
      if (state !== "failed") end("ended");
    },
    onResponseError(_started, error) {
      fail(error instanceof BrokerError ? error : codeOfFailure(error, stage()));
    },
  };

  async function writePiece(piece: Uint8Array): Promise<void> {
    while (outgoingBytes + piece.length > MAX_BUFFERED_BYTES) {
      if (!isDispatched) dispatch(streamedBody());
      await new Promise<void>((wake) => (wakeWriter = wake));
      assertWhole();
      if (state === "ended") return;
    }
    outgoing.push(piece);
    outgoingBytes += piece.length;
    wakeBody?.();
  }

  startTimer(limits.totalTimeoutMs, "BROKER_TIMEOUT_TOTAL");

  const exchange: HttpExchange = {
    async writeBody(bytes) {
      assertUsable();
      // The server answered already: what it did not wait for is not sent.
      if (state === "ended") return;
      if (state !== "writing" || isWriting || !mayHaveBody)
        throw stateError(`cannot write a body of ${target.method} now`);
      requestBytes += bytes.length;
      if (requestBytes > limits.maxRequestBytes) {
        fail(new BrokerError("BROKER_REQUEST_SIZE"));
        assertWhole();
      }
      isWriting = true;
      try {
        for (let at = 0; at < bytes.length; at += MAX_PIECE_BYTES) {
          await writePiece(bytes.slice(at, at + MAX_PIECE_BYTES));
        }
      } finally {
        isWriting = false;
      }
    },
    async finish() {
      assertUsable();
      if (isWriting) throw stateError("a write is in progress");
      if (state === "writing") {
        state = "sent";
        if (status === undefined)
          firstByte = startTimer(limits.firstByteTimeoutMs, "BROKER_TIMEOUT_FIRST_BYTE");
        // A body that is whole before it is sent has a length; only a longer one is chunked.
        if (!isDispatched)
          dispatch(outgoing.length === 0 ? null : Buffer.concat(outgoing.splice(0)));
        wakeBody?.();
      }
      return head.promise;
    },
    async readBody(max) {
      assertUsable();
      if (!Number.isSafeInteger(max) || max < 1)
        throw stateError("readBody needs a positive number of bytes");
      if (state === "writing" || isReading) throw stateError("cannot read now");
      isReading = true;
      try {
        while (incoming.length === 0) {
          if (state === "ended") return null;
          const idle = startTimer(limits.idleTimeoutMs, "BROKER_TIMEOUT_IDLE");
          await new Promise<void>((wake) => (wakeReader = wake));
          idle.cancel();
          timers.delete(idle);
          assertWhole();
        }
        return take(max);
      } finally {
        isReading = false;
      }
    },
    async [Symbol.asyncDispose]() {
      fail(new BrokerError("BROKER_CANCELLED"));
    },
  };

  function take(max: number): Uint8Array {
    const chunk = incoming[0] ?? new Uint8Array();
    if (chunk.length > max) incoming[0] = chunk.subarray(max);
    else incoming.shift();
    // An owned copy: a view would show its holder the rest of a shared buffer.
    const bytes = new Uint8Array(chunk.subarray(0, max));
    incomingBytes -= bytes.length;
    if (incomingBytes < PAUSE_READING_BYTES && controller?.paused === true) controller.resume();
    return bytes;
  }

  return { exchange, fail: (code) => fail(new BrokerError(code)) };
}

/** Bytes that a body is cut into: four fit the buffer. */
const MAX_PIECE_BYTES = MAX_BUFFERED_BYTES / 4;

function originOf(target: ParsedTarget): string {
  return `${target.scheme}://${target.host.name}:${target.port}`;
}

function stateError(message: string): BrokerError {
  return new BrokerError("BROKER_EXCHANGE_STATE", { message });
}
