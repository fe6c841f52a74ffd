/**
 * @module A server on loopback that says exactly the bytes a test gives it, over TLS or plain: what
 * a well-behaved HTTP server would never send.
 */
import { type Server, type Socket, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";

/** In a namespace with the cases' addresses (scripts/network-namespace.ts) servers answer at each. */
const HOST = process.env["GLOVEBOX_REAL_DIALS"] === "1" ? "::" : "127.0.0.1";

export interface RawServer extends AsyncDisposable {
  readonly port: number;
  /** Everything that clients have sent so far. */
  readonly received: () => string;
  /** Connections that are open now. */
  readonly open: () => number;
}

/** Calls `answer` for each request head that arrives. */
export async function startRawServer(
  answer: (socket: Socket, nth: number, path: string) => void,
  identity?: TlsOptions,
): Promise<RawServer> {
  let received = "";
  let requests = 0;
  const sockets = new Set<Socket>();
  const onConnection = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
      const heads = received.split("\r\n\r\n");
      while (requests < heads.length - 1) {
        const [, path = ""] = /^\S+ (\S+)/m.exec(heads[requests] ?? "") ?? [];
        answer(socket, ++requests, path);
      }
    });
  };
  const server: Server =
    identity === undefined ? createServer(onConnection) : createTlsServer(identity, onConnection);
  server.on("tlsClientError", () => undefined);
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    received: () => received,
    open: () => sockets.size,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
