/**
 * @module One HTTP exchange as pulled streams (contract.md 7), over as many transfers as there are
 * redirects. The plugin decides how fast bytes come and go, so each direction is bounded. Whatever
 * ends an exchange early ends it once, with one code.
 */
import type { Clock, Timer } from "@glovebox/core/clock";
import type { Decision } from "@glovebox/core/decision";
import type { HttpExchange, HttpResponseHead } from "@glovebox/core/ports";

import { BROKER_ERRORS, BrokerError, type BrokerErrorCode } from "../errors.ts";
import type { NetworkLimits } from "../grant/grant.ts";
import type { InspectionBlock, Transform } from "../inspection/transform.ts";
import { RATE_WINDOW_MS } from "../limits.ts";
import type { Connection } from "./connections.ts";
import { parseCodings } from "./decode.ts";
import type { Hop } from "./hop.ts";
import { locationOf, nextRequest, type NextRequest } from "./redirect.ts";
import { createRequestBody } from "./request-body.ts";
import { type ResponseBody, createResponseBody } from "./response-body.ts";
import type { ResponseHead } from "./response-head.ts";
import { startTransfer, type Transfer } from "./transfer.ts";

/** How one request of an exchange ended, or the exchange with its last. */
export interface HopEnd {
  readonly hop: Hop;
  /** Absent when all went well. */
  readonly code: BrokerErrorCode | undefined;
  readonly head: ResponseHead | undefined;
  readonly serverAddress: string | undefined;
  readonly requestBytes: number;
  readonly wireBytes: number;
  readonly decodedBytes: number;
  /** Monotonic milliseconds. */
  readonly startedMs: number;
  readonly headMs: number | undefined;
  readonly endedMs: number;
}

/** What an exchange works with. */
export interface ExchangeContext {
  readonly first: Hop;
  readonly limits: NetworkLimits;
  readonly clock: Clock;
  readonly inspection: Transform | undefined;
  connect(hop: Hop): Connection;
  /** Decides, looks up and records the next request of a redirect. */
  nextHop(from: Hop, next: NextRequest): Promise<Decision<Hop>>;
  countSent(bytes: number): Decision<void>;
  countReceived(bytes: number): Decision<void>;
  /** What a scanner's block becomes, recorded. */
  onBlocked(block: InspectionBlock): BrokerError;
  /** Throws when the grant or the call is over; asked at each use, also for bytes that wait here. */
  assertUsable(): void;
  onHopEnd(end: HopEnd): void;
  /** Called once, when the last byte has come or something broke. */
  onEnd(): void;
}

/** An exchange and the way to break it from outside. */
export interface RunningExchange {
  readonly exchange: HttpExchange;
  fail(code: BrokerErrorCode): void;
}

type State = "writing" | "sent" | "ended" | "failed";

/** An exchange that has not sent anything yet. */
export function createExchange(context: ExchangeContext): RunningExchange {
  const { limits, clock } = context;
  const head = Promise.withResolvers<HttpResponseHead>();
  head.promise.catch(() => undefined);
  const timers = new Set<Timer>();
  let state: State = "writing";
  let failure: BrokerError | undefined;
  let isWriting = false;
  let isReading = false;
  /** Whether the rate is measured: from the first time that somebody waits for the body. */
  let isWatched = false;
  let hop = context.first;
  let redirects = 0;
  let transfer: Transfer | undefined;
  let connection: Connection | undefined;
  let response: ResponseBody | undefined;
  let lastHead: ResponseHead | undefined;
  let startedMs = clock.monotonicMs();
  let headMs: number | undefined;
  let firstByte: Timer | undefined;
  let wakeReader: (() => void) | undefined;

  const request = createRequestBody({
    maxBytes: limits.maxRequestBytes,
    inspection: context.inspection,
    count: (bytes) => context.countSent(bytes),
    onOverflow: () => transfer === undefined && send(request.stream()),
    onBlocked: (block) => context.onBlocked(block),
  });

  function startTimer(afterMs: number, code: BrokerErrorCode): Timer {
    const timer = clock.setTimer(afterMs, () => fail(new BrokerError(code)));
    timers.add(timer);
    return timer;
  }

  function stopTimer(timer: Timer | undefined): void {
    timer?.cancel();
    if (timer !== undefined) timers.delete(timer);
  }

  function endHop(isWhole: boolean): void {
    connection?.release(isWhole);
    context.onHopEnd({
      hop,
      code: failure?.code,
      head: lastHead,
      serverAddress: connection?.address,
      requestBytes: request.bytes,
      wireBytes: response?.wireBytes ?? 0,
      decodedBytes: response?.decodedBytes ?? 0,
      startedMs,
      headMs,
      endedMs: clock.monotonicMs(),
    });
  }

  function end(next: "ended" | "failed"): void {
    state = next;
    for (const timer of timers) timer.cancel();
    timers.clear();
    request.stop();
    endHop(next === "ended");
    context.onEnd();
    wakeReader?.();
  }

  function fail(error: BrokerError): void {
    if (state === "failed" || state === "ended") return;
    failure = error;
    // What was read and not yet taken is dropped: half an answer is no answer.
    response?.discard();
    head.reject(error);
    transfer?.abort(error);
    end("failed");
  }

  function assertUsable(): void {
    if (failure !== undefined) throw failure;
    context.assertUsable();
  }

  function send(body: AsyncIterable<Uint8Array> | Uint8Array | null): void {
    const { target, wireHeaders } = hop;
    startedMs = clock.monotonicMs();
    connection = context.connect(hop);
    transfer = startTransfer(
      connection,
      { path: target.path, method: target.method, headers: wireHeaders, body },
      limits,
      {
        onHead,
        onData(chunk) {
          const counted = context.countReceived(chunk.length);
          if (counted.allowed) response?.push(chunk);
          else fail(new BrokerError("BROKER_QUOTA", { message: counted.reason }));
        },
        onEnd(trailers) {
          if (isReflected(trailers)) return fail(new BrokerError("BROKER_SECRET_REFLECTED"));
          response?.end();
        },
        onFailure: fail,
      },
    );
  }

  function isReflected(pairs: HttpResponseHead["headers"], more = ""): boolean {
    const { search } = hop;
    if (search === undefined) return false;
    return search.isIn(`${more}\n${pairs.flat().join("\n")}`);
  }

  function onHead(received: ResponseHead): void {
    lastHead = received;
    headMs = clock.monotonicMs();
    stopTimer(firstByte);
    if (isReflected(received.headers, received.statusText))
      return fail(new BrokerError("BROKER_SECRET_REFLECTED"));
    const location = locationOf(received.status, received.headers);
    if (location !== undefined && limits.maxRedirects > 0) {
      follow(received.status, location).catch((error: unknown) =>
        fail(new BrokerError("BROKER_REDIRECT", { cause: error })),
      );
      return;
    }
    const isBodiless = hop.target.method === "HEAD" || [204, 304].includes(received.status);
    const values = received.headers.flatMap(([name, value]) =>
      name === "content-encoding" ? [value] : [],
    );
    const codings = isBodiless ? [] : parseCodings(values, limits.maxCodings);
    if (typeof codings === "string") return fail(new BrokerError(codings));
    response = createResponseBody(codings, limits, hop.search, {
      setPaused: (isPaused) => transfer?.setPaused(isPaused),
      onReady: () => wakeReader?.(),
      onWhole: () => state !== "failed" && end("ended"),
      onFailure: fail,
    });
    const { status, headers } = received;
    head.resolve({
      status,
      headers: codings.length === 0 ? headers : headers.filter(([name]) => !CODED.has(name)),
    });
  }

  /** Ends a body that brings less than its floor in a window in which nobody but the server was slow. */
  function watchRate(body: ResponseBody, before: number): void {
    const timer = clock.setTimer(RATE_WINDOW_MS, () => {
      timers.delete(timer);
      const least = (limits.minBytesPerSecond * RATE_WINDOW_MS) / 1_000;
      if (!body.wasPaused() && body.wireBytes - before < least)
        return fail(new BrokerError("BROKER_TIMEOUT_RATE"));
      watchRate(body, body.wireBytes);
    });
    timers.add(timer);
  }

  async function follow(status: number, location: string): Promise<void> {
    // The body of a redirect is never read: it could be as large as any.
    transfer?.abort(new BrokerError("BROKER_REDIRECT"));
    const broken = (why: string): void =>
      fail(new BrokerError("BROKER_REDIRECT", { message: why }));
    if (++redirects > limits.maxRedirects)
      return broken(`more than ${limits.maxRedirects} redirects`);
    const next = nextRequest(hop.target, hop.headers, status, location);
    if (next === undefined) return broken("its location has no single meaning");
    const body = next.keepsBody && request.bytes > 0 ? request.whole : null;
    if (body === undefined) return broken("the body was streamed and is gone");
    endHop(false);
    connection = undefined;
    lastHead = undefined;
    headMs = undefined;
    const decision = await context.nextHop(hop, next);
    if (state === "failed" || state === "ended") return;
    if (!decision.allowed) return fail(errorOf(decision.code, decision.reason));
    hop = decision.value;
    // Only bodies that are whole are kept, so the request had been sent.
    state = "sent";
    firstByte = startTimer(limits.firstByteTimeoutMs, "BROKER_TIMEOUT_FIRST_BYTE");
    send(body);
  }

  startTimer(limits.totalTimeoutMs, "BROKER_TIMEOUT_TOTAL");

  const exchange: HttpExchange = {
    async writeBody(bytes) {
      assertUsable();
      // The server answered already: what it did not wait for is not sent.
      if (state === "ended") return;
      const { method } = context.first.target;
      if (state !== "writing" || isWriting || method === "GET" || method === "HEAD")
        throw stateError(`cannot write a body of ${method} now`);
      isWriting = true;
      try {
        await request.write(bytes);
      } catch (error) {
        if (error instanceof BrokerError) fail(error);
        throw error;
      } finally {
        isWriting = false;
      }
      if (failure !== undefined) throw failure;
    },
    async finish() {
      assertUsable();
      if (isWriting) throw stateError("a write is in progress");
      if (state === "writing") {
        try {
          request.finish();
        } catch (error) {
          if (error instanceof BrokerError) fail(error);
          throw error;
        }
        state = "sent";
        if (lastHead === undefined)
          firstByte = startTimer(limits.firstByteTimeoutMs, "BROKER_TIMEOUT_FIRST_BYTE");
        // A body that is whole before it is sent has a length; only a longer one is chunked.
        if (transfer === undefined) send(request.bytes === 0 ? null : (request.whole ?? null));
      }
      return await head.promise;
    },
    async readBody(max) {
      assertUsable();
      if (!Number.isSafeInteger(max) || max < 1)
        throw stateError("readBody needs a positive number of bytes");
      if (state === "writing" || isReading) throw stateError("cannot read now");
      isReading = true;
      try {
        for (;;) {
          const bytes = response?.take(max);
          if (bytes !== undefined) return bytes;
          if (response?.isWhole === true) return null;
          if (response !== undefined && !isWatched && limits.minBytesPerSecond > 0) {
            isWatched = true;
            watchRate(response, response.wireBytes);
          }
          const idle = startTimer(limits.idleTimeoutMs, "BROKER_TIMEOUT_IDLE");
          await new Promise<void>((wake) => (wakeReader = wake));
          stopTimer(idle);
          if (failure !== undefined) throw failure;
        }
      } finally {
        isReading = false;
      }
    },
    async [Symbol.asyncDispose]() {
      fail(new BrokerError("BROKER_CANCELLED"));
    },
  };

  return { exchange, fail: (code) => fail(new BrokerError(code)) };
}

/** Headers that a decoded body does not have any more. */
const CODED: ReadonlySet<string> = new Set(["content-encoding", "content-length"]);

function errorOf(code: string, message: string): BrokerError {
  const isOurs = Object.hasOwn(BROKER_ERRORS, code);
  return new BrokerError(isOurs ? (code as BrokerErrorCode) : "BROKER_REDIRECT", { message });
}

function stateError(message: string): BrokerError {
  return new BrokerError("BROKER_EXCHANGE_STATE", { message });
}
