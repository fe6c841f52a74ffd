/**
 * @module The servers that the network cases speak to: ordinary ones over TLS and plain, and for a
 * case that asks for it one of its own, with what no well-behaved server sends.
 */
import type { Socket } from "node:net";

import {
  type CertificateKind,
  type LoopbackServer,
  type TestAuthority,
  startHttpServer,
} from "@glovebox/testkit/servers";

import { type RawServer, startRawServer } from "../raw-server.ts";

/** Names that the certificates are for. */
const NAMES = [
  "api.example.com",
  "*.trusted.com",
  "*.a.trusted.com",
  "trusted.com",
  "xn--bcher-kva.example",
  "*.xn--bcher-kva.example",
];
const OK = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello";

/** What a case says of its server. */
export interface ServerCase {
  readonly server?: Readonly<Record<string, unknown>>;
  readonly tls?: {
    readonly cert?: string;
    readonly max?: "TLSv1.1";
    readonly pins?: unknown;
    readonly env?: unknown;
  };
}

/** Answers `hello` over TLS to whoever asks. */
export function startSecureServer(authority: TestAuthority): Promise<RawServer> {
  return startRawServer((socket) => socket.end(OK), authority.issue({ names: NAMES }));
}

/** Answers `hello` in clear text. */
export function startPlainServer(): Promise<LoopbackServer> {
  return startHttpServer((_request, response) =>
    response.setHeader("connection", "close").end("hello"),
  );
}

/** The case's own server, if it asks for one. */
export async function startServerOf(
  { server, tls }: ServerCase,
  authority: TestAuthority,
): Promise<RawServer | undefined> {
  if (server !== undefined)
    return startRawServer((socket) => answer(socket, server), authority.issue({ names: NAMES }));
  if (tls === undefined) return undefined;
  const identity = authority.issue({ kind: tls.cert as CertificateKind, names: NAMES });
  const versions =
    tls.max === undefined
      ? {}
      : { minVersion: tls.max, maxVersion: tls.max, ciphers: "DEFAULT@SECLEVEL=0" };
  return startRawServer((socket) => socket.end(OK), { ...identity, ...versions });
}

function answer(socket: Socket, server: Readonly<Record<string, unknown>>): void {
  const number = (name: string): number => Number(server[name] ?? 0);
  const lines = (count: number, line: string): string => line.repeat(count);
  if ("silent" in server) return;
  if ("contentLength" in server)
    socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${number("contentLength")}\r\n\r\n`);
  else if ("chunked" in server) {
    const size = number("bodyZeros");
    socket.write(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${size.toString(16)}\r\n`);
    socket.write(Buffer.alloc(size));
    socket.end("\r\n0\r\n\r\n");
  } else if ("drip" in server) {
    socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n");
    const timer = setInterval(() => socket.write("x"), 100);
    socket.on("close", () => clearInterval(timer));
  } else if ("informational" in server)
    socket.end(lines(number("informational"), "HTTP/1.1 103 Early Hints\r\n\r\n") + OK);
  else if ("rawHead" in server)
    socket.end(`HTTP/1.1 200 OK\r\n${String(server["rawHead"])}\r\n\r\nhello`);
  else if ("shortBody" in server)
    socket.end("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n0123456789");
  else if ("trailers" in server) {
    socket.end(
      `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n${lines(number("trailers"), "x-t: 1\r\n")}\r\n`,
    );
  } else
    socket.end(
      `HTTP/1.1 200 OK\r\n${lines(number("setCookie"), "set-cookie: a=b\r\n")}content-length: 0\r\n\r\n`,
    );
}
