/**
 * @module The listening server: node:http with every limit set (CWE-400, slowloris), and a shutdown
 * that lets running requests end, for a while. A connection has one request at a time and reads its answer in
 * time: callers that do not read hold little, and not for long.
 */
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";

import { getRequestListener } from "@hono/node-server";

import { HostError } from "../errors.ts";
import {
  ANSWER_TIMEOUT_MS,
  HEADERS_TIMEOUT_MS,
  IDLE_CHECK_INTERVAL_MS,
  KEEP_ALIVE_TIMEOUT_MS,
  MAX_CONNECTIONS,
  MAX_HEADER_BYTES,
  MAX_HEADERS,
  REQUEST_TIMEOUT_MS,
  TIMEOUT_CHECK_INTERVAL_MS,
} from "../limits.ts";
import { osReason } from "../os-reason.ts";

/** What answers requests. */
export type Fetch = (request: Request) => Response | Promise<Response>;

/** A server that listens. */
export interface HostServer {
  /** The port, also where 0 was asked for. */
  readonly port: number;
  /** Takes no more connections; resolves when none is left, at the latest after the deadline. `false`: some were cut. */
  close(deadlineMs: number): Promise<boolean>;
}

/** Bounds that a test sets lower. */
export interface ListenLimits {
  /** Milliseconds in which an answer must have been read. */
  readonly answerTimeoutMs: number;
}

/**
 * Listens.
 *
 * @throws {@link HostError} (`HOST_LISTEN`)
 */
export async function listen(
  fetch: Fetch,
  hostname: string,
  port: number,
  { answerTimeoutMs }: ListenLimits = { answerTimeoutMs: ANSWER_TIMEOUT_MS },
): Promise<HostServer> {
  const answer = getRequestListener(
    async (request, bindings) => {
      const response = await fetch(request);
      endUnread(bindings.outgoing as ServerResponse, answerTimeoutMs);
      return response;
    },
    { overrideGlobalObjects: false },
  );
  const answering = new WeakSet<Socket>();
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_INTERVAL_MS,
      requireHostHeader: true,
      insecureHTTPParser: false,
    },
    (incoming, outgoing) => {
      const { socket } = incoming;
      // node:http begins pipelined requests at once, and holds their answers until it is their turn.
      if (answering.has(socket)) {
        socket.destroy();
        return;
      }
      answering.add(socket);
      outgoing.once("close", () => answering.delete(socket));
      void answer(incoming, outgoing);
    },
  );
  server.maxHeadersCount = MAX_HEADERS;
  server.maxConnections = MAX_CONNECTIONS;
  try {
    server.listen(port, hostname);
    await once(server, "listening");
  } catch (cause) {
    throw new HostError("HOST_LISTEN", {
      message: `cannot listen on ${hostname} port ${port}: ${osReason(cause)}`,
      cause,
    });
  }
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : port,
    close: (deadlineMs) => close(server, deadlineMs),
  };
}

/** Cuts the connection of an answer that is not read in time; the reader is attacker-controlled. */
function endUnread(outgoing: ServerResponse, timeoutMs: number): void {
  if (outgoing.closed) return;
  const deadline = setTimeout(() => outgoing.destroy(), timeoutMs);
  outgoing.once("close", () => clearTimeout(deadline));
}

function close(server: Server, deadlineMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const deadline = setTimeout(() => {
      clearInterval(idle);
      resolve(false);
      server.closeAllConnections();
    }, deadlineMs);
    // A connection that answers its last request becomes idle only then.
    const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_INTERVAL_MS);
    server.close(() => {
      clearTimeout(deadline);
      clearInterval(idle);
      resolve(true);
    });
  });
}
