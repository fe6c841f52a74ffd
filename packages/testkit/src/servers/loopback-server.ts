/**
 * @module HTTP and TLS servers on 127.0.0.1 with a port of the system's choice. They count what
 * reaches them: that a refused request was never dialled is a claim about connections.
 */
import { createServer as createHttpServer, type RequestListener, type Server } from "node:http";
import { createServer as createHttpsServer, type ServerOptions } from "node:https";
import type { Socket } from "node:net";
import type { AddressInfo } from "node:net";

import { type CertificateKind, sharedAuthority, type TestAuthority } from "./test-authority.ts";

const LOOPBACK = "127.0.0.1";

/** A running server. */
export interface LoopbackServer extends AsyncDisposable {
  /** Origin without a slash at the end, such as `http://127.0.0.1:40123`. */
  readonly url: string;
  readonly port: number;
  /** TCP connections so far, whether or not a handshake or a request followed. */
  readonly connections: number;
  /** Requests so far. */
  readonly requests: number;
  /** Ends all connections and resolves when the port is free. Repeating it does nothing. */
  close(): Promise<void>;
}

/** A running TLS server. */
export interface LoopbackTlsServer extends LoopbackServer {
  /** PEM of the authority that a client is to trust; it did not sign a self-signed certificate. */
  readonly ca: string;
  /** PEM of the server's certificate. */
  readonly cert: string;
}

/** What the TLS server shows its clients. */
export interface TlsServerOptions {
  /** Default: `ok`. */
  readonly cert?: CertificateKind;
  /** DNS names in the certificate; the first stands in `url`. Default: `["localhost"]`. */
  readonly names?: readonly string[];
  /** IPv4 addresses in the certificate. Default: `["127.0.0.1"]`. */
  readonly addresses?: readonly string[];
  /** Who signs. Default: one authority per process. */
  readonly authority?: TestAuthority;
  /** Further options of `node:tls`, such as `maxVersion`. Default: none. */
  readonly tls?: Pick<ServerOptions, "minVersion" | "maxVersion" | "ciphers" | "ALPNProtocols">;
}

/**
 * Starts an HTTP server.
 *
 * @example
 * ```ts
 * await using server = await startHttpServer((request, response) => response.end("hello"));
 * ```
 */
export async function startHttpServer(handler: RequestListener): Promise<LoopbackServer> {
  return listen(createHttpServer(), handler, (port) => `http://${LOOPBACK}:${port}`);
}

/**
 * Starts an HTTPS server whose certificate is right or wrong in a chosen way.
 *
 * @example
 * ```ts
 * await using server = await startTlsServer(handler, { cert: "expired" });
 * ```
 */
export async function startTlsServer(
  handler: RequestListener,
  options: TlsServerOptions = {},
): Promise<LoopbackTlsServer> {
  const {
    cert: kind = "ok",
    names = ["localhost"],
    addresses,
    tls,
    authority = sharedAuthority(),
  } = options;
  const { cert, key } = authority.issue({ kind, names, ...(addresses && { addresses }) });
  const host = names[0] ?? LOOPBACK;
  const server = await listen(
    createHttpsServer({ ...tls, cert, key }),
    handler,
    (port) => `https://${host}:${port}`,
  );
  // Added in place: a spread would freeze the counters, which are getters.
  return Object.defineProperties(server, {
    ca: { value: authority.ca, enumerable: true },
    cert: { value: cert, enumerable: true },
  }) as LoopbackTlsServer;
}

async function listen(
  server: Server,
  handler: RequestListener,
  urlOf: (port: number) => string,
): Promise<LoopbackServer> {
  const sockets = new Set<Socket>();
  let connections = 0;
  let requests = 0;
  let closing: Promise<void> | undefined;

  // Node's closeAllConnections() does not know a socket that is still in its handshake.
  server.on("connection", (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    // A client that refuses the certificate resets the connection; that is its right.
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("request", (request, response) => {
    requests += 1;
    handler(request, response);
  });
  const listening = Promise.withResolvers<void>();
  server.once("error", listening.reject);
  server.listen(0, LOOPBACK, () => listening.resolve());
  await listening.promise;
  const { port } = server.address() as AddressInfo;

  function close(): Promise<void> {
    closing ??= new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
    return closing;
  }

  return {
    url: urlOf(port),
    port,
    get connections(): number {
      return connections;
    },
    get requests(): number {
      return requests;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
