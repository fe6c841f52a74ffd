/**
 * @module One request and its response on one connection, as undici parses them; bounds on heads,
 * trailers and everything else in clear text that is not the body. For the last the parser has no
 * hook, so the bytes taken from the socket are compared with those of the body.
 */
import type { Dispatcher } from "undici";

import { BrokerError } from "../errors.ts";
import type { NetworkLimits } from "../grant/grant.ts";
import { MAX_OVERHEAD_BYTES } from "../limits.ts";
import type { Connection } from "./connections.ts";
import {
  type ResponseHead,
  type Stage,
  codeOfFailure,
  readHead,
  readTrailers,
} from "./response-head.ts";

/** What is sent. */
export interface TransferRequest {
  readonly path: string;
  readonly method: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: AsyncIterable<Uint8Array> | Uint8Array | null;
}

/** What comes back. */
export interface TransferEvents {
  onHead(head: ResponseHead): void;
  onData(chunk: Uint8Array): void;
  onEnd(trailers: ResponseHead["headers"]): void;
  onFailure(error: BrokerError): void;
}

/** A transfer that has begun. */
export interface Transfer {
  setPaused(isPaused: boolean): void;
  /** Ends it; nothing is told any more. */
  abort(error: BrokerError): void;
}

/** Sends a request on a connection. */
export function startTransfer(
  connection: Connection,
  request: TransferRequest,
  limits: NetworkLimits,
  events: TransferEvents,
): Transfer {
  const transfer = new RunningTransfer(connection, request.method, limits, events);
  transfer.start(request);
  return transfer;
}

/** A class, for every request has one (bench: https_request_vs_undici). */
class RunningTransfer implements Transfer, Dispatcher.DispatchHandler {
  readonly #connection: Connection;
  readonly #method: string;
  readonly #limits: NetworkLimits;
  readonly #events: TransferEvents;
  #controller: Dispatcher.DispatchController | undefined;
  #stage: Stage = "connecting";
  #informational = 0;
  #bodyBytes = 0;
  #aborted: BrokerError | undefined;

  constructor(
    connection: Connection,
    method: string,
    limits: NetworkLimits,
    events: TransferEvents,
  ) {
    this.#connection = connection;
    this.#method = method;
    this.#limits = limits;
    this.#events = events;
  }

  start({ path, method, headers, body }: TransferRequest): void {
    try {
      // undici takes any async iterable; its types name only streams.
      const options = { path, method, headers: [...headers], body: body as Uint8Array | null };
      this.#connection.dispatch(options, this, () => this.#checkOverhead());
    } catch (error) {
      this.#fail(new BrokerError("BROKER_CONNECT", { cause: error }));
    }
  }

  setPaused(isPaused: boolean): void {
    const controller = this.#controller;
    if (controller === undefined || controller.paused === isPaused) return;
    if (isPaused) controller.pause();
    else controller.resume();
  }

  abort(error: BrokerError): void {
    if (this.#stage === "over") return;
    this.#stage = "over";
    this.#aborted = error;
    this.#controller?.abort(error);
  }

  onRequestStart(started: Dispatcher.DispatchController): void {
    this.#controller = started;
    if (this.#aborted !== undefined) started.abort(this.#aborted);
    else this.#stage = "waiting";
  }

  onResponseStart(
    started: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    statusText = "",
  ): void {
    if (this.#stage === "over") return;
    const head = readHead(
      started.rawHeaders,
      status,
      ++this.#informational,
      this.#method,
      this.#limits.maxResponseBytes,
    );
    if (head === "informational") return;
    if (typeof head === "string") return this.#fail(new BrokerError(head));
    this.#stage = "reading";
    this.#events.onHead({ ...head, statusText });
  }

  onResponseData(_started: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#stage === "over") return;
    this.#bodyBytes += chunk.length;
    this.#events.onData(chunk);
  }

  onResponseEnd(started: Dispatcher.DispatchController): void {
    this.#checkOverhead();
    if (this.#stage === "over") return;
    const trailers = readTrailers(started.rawTrailers);
    if (trailers === undefined) return this.#fail(new BrokerError("BROKER_RESPONSE_HEAD"));
    this.#stage = "over";
    this.#events.onEnd(trailers);
  }

  onResponseError(_started: unknown, error: Error): void {
    this.#fail(error instanceof BrokerError ? error : codeOfFailure(error, this.#stage));
  }

  #fail(error: BrokerError): void {
    if (this.#stage === "over") return;
    this.abort(error);
    this.#events.onFailure(error);
  }

  /** Asked when the parser has nothing left in its hands: after a read, and at the end. */
  #checkOverhead(): void {
    const outside = this.#connection.takenBytes - this.#bodyBytes;
    if (outside <= MAX_OVERHEAD_BYTES + this.#bodyBytes / 4) return;
    const code = this.#stage === "reading" ? "BROKER_RESPONSE_OVERHEAD" : "BROKER_RESPONSE_HEAD";
    this.#fail(new BrokerError(code));
  }
}
