/**
 * @module The listening server: node:http with every limit set (CWE-400, slowloris), and a shutdown
 * that lets running requests end, for a while.
 */
import { once } from "node:events";
import { createServer, type Server } from "node:http";

import { getRequestListener } from "@hono/node-server";

import { HostError } from "../errors.ts";
import {
  HEADERS_TIMEOUT_MS,
  IDLE_CHECK_INTERVAL_MS,
  KEEP_ALIVE_TIMEOUT_MS,
  MAX_CONNECTIONS,
  MAX_HEADER_BYTES,
  MAX_HEADERS,
  REQUEST_TIMEOUT_MS,
  TIMEOUT_CHECK_INTERVAL_MS,
} from "../limits.ts";

/** What answers requests. */
export type Fetch = (request: Request) => Response | Promise<Response>;

/** A server that listens. */
export interface HostServer {
  /** The port, also where 0 was asked for. */
  readonly port: number;
  /** Takes no more connections; resolves when none is left, at the latest after the deadline. `false`: some were cut. */
  close(deadlineMs: number): Promise<boolean>;
}

/**
 * Listens.
 *
 * @throws {@link HostError} (`HOST_LISTEN`)
 */
export async function listen(fetch: Fetch, hostname: string, port: number): Promise<HostServer> {
  const answer = getRequestListener(fetch, { overrideGlobalObjects: false });
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
    (incoming, outgoing) => void answer(incoming, outgoing),
  );
  server.maxHeadersCount = MAX_HEADERS;
  server.maxConnections = MAX_CONNECTIONS;
  try {
    server.listen(port, hostname);
    await once(server, "listening");
  } catch (cause) {
    const { code = "unknown error" } = cause as { code?: string };
    throw new HostError("HOST_LISTEN", {
      message: `cannot listen on ${hostname} port ${port}: ${code}`,
      cause,
    });
  }
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : port,
    close: (deadlineMs) => close(server, deadlineMs),
  };
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
