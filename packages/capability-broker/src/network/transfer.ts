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
  let controller: Dispatcher.DispatchController | undefined;
  let stage: Stage = "connecting";
  let informational = 0;
  let bodyBytes = 0;
  let aborted: BrokerError | undefined;

  function abort(error: BrokerError): void {
    if (stage === "over") return;
    stage = "over";
    aborted = error;
    controller?.abort(error);
  }

  function fail(error: BrokerError): void {
    if (stage === "over") return;
    abort(error);
    events.onFailure(error);
  }

  /** Asked when the parser has nothing left in its hands: after a read, and at the end. */
  function checkOverhead(): void {
    const outside = connection.takenBytes - bodyBytes;
    if (outside <= MAX_OVERHEAD_BYTES + bodyBytes / 4) return;
    fail(
      new BrokerError(stage === "reading" ? "BROKER_RESPONSE_OVERHEAD" : "BROKER_RESPONSE_HEAD"),
    );
  }

  const handler: Dispatcher.DispatchHandler = {
    onRequestStart(started) {
      controller = started;
      if (aborted !== undefined) started.abort(aborted);
      else stage = "waiting";
    },
    onResponseStart(started, status, _headers, statusText = "") {
      if (stage === "over") return;
      const head = readHead(
        started.rawHeaders,
        status,
        ++informational,
        request.method,
        limits.maxResponseBytes,
      );
      if (head === "informational") return;
      if (typeof head === "string") return fail(new BrokerError(head));
      stage = "reading";
      events.onHead({ ...head, statusText });
    },
    onResponseData(_started, chunk) {
      if (stage === "over") return;
      bodyBytes += chunk.length;
      events.onData(chunk);
    },
    onResponseEnd(started) {
      checkOverhead();
      if (stage === "over") return;
      const trailers = readTrailers(started.rawTrailers);
      if (trailers === undefined) return fail(new BrokerError("BROKER_RESPONSE_HEAD"));
      stage = "over";
      events.onEnd(trailers);
    },
    onResponseError(_started, error) {
      fail(error instanceof BrokerError ? error : codeOfFailure(error, stage));
    },
  };

  try {
    connection.dispatch(
      {
        path: request.path,
        method: request.method,
        headers: [...request.headers],
        // undici takes any async iterable; its types name only streams.
        body: request.body as Uint8Array | null,
      },
      handler,
      checkOverhead,
    );
  } catch (error) {
    fail(new BrokerError("BROKER_CONNECT", { cause: error }));
  }
  return {
    setPaused(isPaused) {
      if (controller === undefined || controller.paused === isPaused) return;
      if (isPaused) controller.pause();
      else controller.resume();
    },
    abort,
  };
}
