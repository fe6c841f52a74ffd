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
import { RequestBody, type RequestBodyEvents } from "./request-body.ts";
import { type BodyEvents, ResponseBody } from "./response-body.ts";
import type { ResponseHead } from "./response-head.ts";
import { startTransfer, type Transfer, type TransferEvents } from "./transfer.ts";

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
  const running = new Running(context);
  return {
    exchange: new Exchange(running),
    fail: (code) => running.onFailure(new BrokerError(code)),
  };
}

/** What the plugin's side is given: nothing of what it runs on. */
class Exchange implements HttpExchange {
  readonly #running: Running;

  constructor(running: Running) {
    this.#running = running;
  }

  writeBody(bytes: Uint8Array): Promise<void> {
    return this.#running.writeBody(bytes);
  }

  finish(): Promise<HttpResponseHead> {
    return this.#running.finish();
  }

  readBody(max: number): Promise<Uint8Array | null> {
    return this.#running.readBody(max);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#running.onFailure(new BrokerError("BROKER_CANCELLED"));
  }
}

/** A class, for every request has one (bench: https_request_vs_undici). */
class Running implements RequestBodyEvents, TransferEvents, BodyEvents {
  readonly #context: ExchangeContext;
  readonly #limits: NetworkLimits;
  readonly #clock: Clock;
  readonly #head = Promise.withResolvers<HttpResponseHead>();
  readonly #request: RequestBody;
  readonly #total: Timer;
  #state: State = "writing";
  #failure: BrokerError | undefined;
  #isWriting = false;
  #isReading = false;
  /** Whether the rate is measured: from the first time that somebody waits for the body. */
  #isWatched = false;
  #hop: Hop;
  #redirects = 0;
  #transfer: Transfer | undefined;
  #connection: Connection | undefined;
  #response: ResponseBody | undefined;
  #lastHead: ResponseHead | undefined;
  #startedMs: number;
  #headMs: number | undefined;
  #firstByte: Timer | undefined;
  #idle: Timer | undefined;
  #rateWindow: Timer | undefined;
  #wakeReader: (() => void) | undefined;

  constructor(context: ExchangeContext) {
    const { limits, clock } = context;
    this.#context = context;
    this.#limits = limits;
    this.#clock = clock;
    this.#hop = context.first;
    this.#startedMs = clock.monotonicMs();
    this.#head.promise.catch(() => undefined);
    this.#request = new RequestBody(limits.maxRequestBytes, context.inspection, this);
    this.#total = this.#startTimer(limits.totalTimeoutMs, "BROKER_TIMEOUT_TOTAL");
  }

  async writeBody(bytes: Uint8Array): Promise<void> {
    this.#assertUsable();
    // The server answered already: what it did not wait for is not sent.
    if (this.#state === "ended") return;
    const { method } = this.#context.first.target;
    if (this.#state !== "writing" || this.#isWriting || method === "GET" || method === "HEAD")
      throw stateError(`cannot write a body of ${method} now`);
    this.#isWriting = true;
    try {
      await this.#request.write(bytes);
    } catch (error) {
      if (error instanceof BrokerError) this.onFailure(error);
      throw error;
    } finally {
      this.#isWriting = false;
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  async finish(): Promise<HttpResponseHead> {
    this.#assertUsable();
    if (this.#isWriting) throw stateError("a write is in progress");
    if (this.#state === "writing") {
      try {
        this.#request.finish();
      } catch (error) {
        if (error instanceof BrokerError) this.onFailure(error);
        throw error;
      }
      this.#state = "sent";
      if (this.#lastHead === undefined) this.#awaitFirstByte();
      // A body that is whole before it is sent has a length; only a longer one is chunked.
      if (this.#transfer === undefined)
        this.#send(this.#request.bytes === 0 ? null : (this.#request.whole ?? null));
    }
    return await this.#head.promise;
  }

  async readBody(max: number): Promise<Uint8Array | null> {
    this.#assertUsable();
    if (!Number.isSafeInteger(max) || max < 1)
      throw stateError("readBody needs a positive number of bytes");
    if (this.#state === "writing" || this.#isReading) throw stateError("cannot read now");
    this.#isReading = true;
    try {
      for (;;) {
        const bytes = this.#response?.take(max);
        if (bytes !== undefined) return bytes;
        if (this.#response?.isWhole === true) return null;
        this.#startWatch();
        this.#idle = this.#startTimer(this.#limits.idleTimeoutMs, "BROKER_TIMEOUT_IDLE");
        await new Promise<void>((wake) => (this.#wakeReader = wake));
        this.#idle.cancel();
        if (this.#failure !== undefined) throw this.#failure;
      }
    } finally {
      this.#isReading = false;
    }
  }

  countSent(bytes: number): Decision<void> {
    return this.#context.countSent(bytes);
  }

  onOverflow(): void {
    if (this.#transfer === undefined) this.#send(this.#request.stream());
  }

  onBlocked(block: InspectionBlock): BrokerError {
    return this.#context.onBlocked(block);
  }

  onHead(received: ResponseHead): void {
    this.#lastHead = received;
    this.#headMs = this.#clock.monotonicMs();
    this.#firstByte?.cancel();
    if (this.#isReflected(received.headers, received.statusText))
      return this.onFailure(new BrokerError("BROKER_SECRET_REFLECTED"));
    const location = locationOf(received.status, received.headers);
    if (location !== undefined && this.#limits.maxRedirects > 0) {
      this.#follow(received.status, location).catch((error: unknown) =>
        this.onFailure(new BrokerError("BROKER_REDIRECT", { cause: error })),
      );
      return;
    }
    const { target, search } = this.#hop;
    const isBodiless = target.method === "HEAD" || [204, 304].includes(received.status);
    const values = received.headers.flatMap(([name, value]) =>
      name === "content-encoding" ? [value] : [],
    );
    const codings = isBodiless ? [] : parseCodings(values, this.#limits.maxCodings);
    if (typeof codings === "string") return this.onFailure(new BrokerError(codings));
    this.#response = new ResponseBody(codings, this.#limits, search, this);
    const { status, headers } = received;
    this.#head.resolve({
      status,
      headers: codings.length === 0 ? headers : headers.filter(([name]) => !CODED.has(name)),
    });
  }

  onData(chunk: Uint8Array): void {
    const counted = this.#context.countReceived(chunk.length);
    if (counted.allowed) this.#response?.push(chunk);
    else this.onFailure(new BrokerError("BROKER_QUOTA", { message: counted.reason }));
  }

  onEnd(trailers: ResponseHead["headers"]): void {
    if (this.#isReflected(trailers))
      return this.onFailure(new BrokerError("BROKER_SECRET_REFLECTED"));
    this.#response?.end();
  }

  onFailure(error: BrokerError): void {
    if (this.#isOver()) return;
    this.#failure = error;
    // What was read and not yet taken is dropped: half an answer is no answer.
    this.#response?.discard();
    this.#head.reject(error);
    this.#transfer?.abort(error);
    this.#end("failed");
  }

  setPaused(isPaused: boolean): void {
    this.#transfer?.setPaused(isPaused);
  }

  onReady(): void {
    this.#wakeReader?.();
  }

  onWhole(): void {
    if (this.#state !== "failed") this.#end("ended");
  }

  #isOver(): boolean {
    return this.#state === "failed" || this.#state === "ended";
  }

  #assertUsable(): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#context.assertUsable();
  }

  #send(body: AsyncIterable<Uint8Array> | Uint8Array | null): void {
    const { target, wireHeaders } = this.#hop;
    this.#startedMs = this.#clock.monotonicMs();
    this.#connection = this.#context.connect(this.#hop);
    const { path, method } = target;
    const request = { path, method, headers: wireHeaders, body };
    this.#transfer = startTransfer(this.#connection, request, this.#limits, this);
  }

  async #follow(status: number, location: string): Promise<void> {
    // The body of a redirect is never read: it could be as large as any.
    this.#transfer?.abort(new BrokerError("BROKER_REDIRECT"));
    const broken = (why: string): void =>
      this.onFailure(new BrokerError("BROKER_REDIRECT", { message: why }));
    const { maxRedirects } = this.#limits;
    if (++this.#redirects > maxRedirects) return broken(`more than ${maxRedirects} redirects`);
    const next = nextRequest(this.#hop.target, this.#hop.headers, status, location);
    if (next === undefined) return broken("its location has no single meaning");
    const body = next.keepsBody && this.#request.bytes > 0 ? this.#request.whole : null;
    if (body === undefined) return broken("the body was streamed and is gone");
    this.#endHop(false);
    this.#connection = undefined;
    this.#lastHead = undefined;
    this.#headMs = undefined;
    const decision = await this.#context.nextHop(this.#hop, next);
    if (this.#isOver()) return;
    if (!decision.allowed) return this.onFailure(errorOf(decision.code, decision.reason));
    this.#hop = decision.value;
    // Only bodies that are whole are kept, so the request had been sent.
    this.#state = "sent";
    this.#awaitFirstByte();
    this.#send(body);
  }

  #isReflected(pairs: HttpResponseHead["headers"], more = ""): boolean {
    const { search } = this.#hop;
    if (search === undefined) return false;
    return search.isIn(`${more}\n${pairs.flat().join("\n")}`);
  }

  #startTimer(afterMs: number, code: BrokerErrorCode): Timer {
    return this.#clock.setTimer(afterMs, () => this.onFailure(new BrokerError(code)));
  }

  #awaitFirstByte(): void {
    const { firstByteTimeoutMs } = this.#limits;
    this.#firstByte = this.#startTimer(firstByteTimeoutMs, "BROKER_TIMEOUT_FIRST_BYTE");
  }

  #startWatch(): void {
    if (this.#response === undefined || this.#isWatched) return;
    if (this.#limits.minBytesPerSecond === 0) return;
    this.#isWatched = true;
    this.#watchRate(this.#response, this.#response.wireBytes);
  }

  /** Ends a body that brings less than its floor in a window in which nobody but the server was slow. */
  #watchRate(body: ResponseBody, before: number): void {
    this.#rateWindow = this.#clock.setTimer(RATE_WINDOW_MS, () => {
      const least = (this.#limits.minBytesPerSecond * RATE_WINDOW_MS) / 1_000;
      if (!body.wasPaused() && body.wireBytes - before < least)
        return this.onFailure(new BrokerError("BROKER_TIMEOUT_RATE"));
      this.#watchRate(body, body.wireBytes);
    });
  }

  #endHop(isWhole: boolean): void {
    this.#connection?.release(isWhole);
    this.#context.onHopEnd({
      hop: this.#hop,
      code: this.#failure?.code,
      head: this.#lastHead,
      serverAddress: this.#connection?.address,
      requestBytes: this.#request.bytes,
      wireBytes: this.#response?.wireBytes ?? 0,
      decodedBytes: this.#response?.decodedBytes ?? 0,
      startedMs: this.#startedMs,
      headMs: this.#headMs,
      endedMs: this.#clock.monotonicMs(),
    });
  }

  #end(next: "ended" | "failed"): void {
    this.#state = next;
    for (const timer of [this.#total, this.#firstByte, this.#idle, this.#rateWindow])
      timer?.cancel();
    this.#request.stop();
    this.#endHop(next === "ended");
    this.#context.onEnd();
    this.#wakeReader?.();
  }
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
