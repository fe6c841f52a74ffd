/**
 * @module The servers that the network cases speak to: what a case asks for, byte by byte, also what
 * no well-behaved server sends.
 */
import type { Socket } from "node:net";
import { Readable, type Transform, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createBrotliCompress, createGzip, createZstdCompress, gzipSync } from "node:zlib";

import type { CertificateKind, IssuedCertificate, TestAuthority } from "@glovebox/testkit/servers";

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
const OK = response("hello");

/** A redirect's answer. */
export interface RedirectAnswer {
  readonly status: number;
  readonly location?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a case says of its server. */
export interface ServerCase {
  readonly server?: Readonly<Record<string, unknown>>;
  readonly hops?: readonly RedirectAnswer[];
  readonly tls?: {
    readonly cert?: string;
    readonly max?: "TLSv1.1";
    readonly pins?: readonly string[];
    readonly resumeFrom?: string;
    readonly env?: Readonly<Record<string, string>>;
  };
}

/** Answers `hello` to whoever asks, over TLS or in clear text. */
export function startOrdinaryServer(identity?: IssuedCertificate): Promise<RawServer> {
  return startRawServer((socket) => socket.end(OK), identity);
}

/** A good certificate for every name of the cases. */
export function goodIdentity(authority: TestAuthority): IssuedCertificate {
  return authority.issue({ names: NAMES });
}

/** The certificate that a case asks for. */
export function identityOf(kind: string | undefined, authority: TestAuthority): IssuedCertificate {
  if (kind === "ca-san-ip-only") return authority.issue({ names: [], addresses: ["127.0.0.1"] });
  if (kind === "wildcard *.com") return authority.issue({ names: ["*.com"] });
  const isOrdinary = kind === undefined || kind === "revoked" || kind === "attacker-ca";
  return authority.issue({ kind: isOrdinary ? "ok" : (kind as CertificateKind), names: NAMES });
}

/** The server of a case: its own answers under the given certificate. */
export async function startServerOf(
  { server, hops, tls }: ServerCase,
  identity: IssuedCertificate | undefined,
): Promise<RawServer> {
  const versions =
    tls?.max === undefined
      ? {}
      : { minVersion: tls.max, maxVersion: tls.max, ciphers: "DEFAULT@SECLEVEL=0" };
  // Coded before anyone asks: a bomb takes longer to make than a client waits.
  const coded = server?.["encoding"] === undefined ? undefined : await codedBody(server);
  const answerNth = (socket: Socket, nth: number): void => {
    const hop = hops?.[nth - 1];
    if (hop !== undefined) socket.end(redirect(hop));
    else if (hops !== undefined) socket.end(response(""));
    else if (coded !== undefined) answerCoded(socket, server ?? {}, coded);
    else if (server !== undefined) answer(socket, server, nth);
    else socket.end(OK);
  };
  return startRawServer(answerNth, identity && { ...identity, ...versions });
}

/** Keeps connections alive; below `/slow` it sends a byte each 10 ms until it is closed. */
export function startKeepAliveServer(identity: IssuedCertificate): Promise<RawServer> {
  return startRawServer((socket, _nth, path) => {
    if (path.startsWith("/slow")) drip(socket, "HTTP/1.1 200 OK\r\n\r\n", 1, 10);
    else socket.write("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
  }, identity);
}

function answer(socket: Socket, server: Readonly<Record<string, unknown>>, nth: number): void {
  const number = (name: string): number => Number(server[name] ?? 0);
  const lines = (count: number, line: string): string => line.repeat(count);
  const status = Number(server["status"] ?? 200);
  const start = `HTTP/1.1 ${status} Status\r\n`;
  if ("silent" in server) return;
  if ("contentLength" in server) {
    socket.write(`${start}content-length: ${number("contentLength")}\r\n\r\n`);
    socket.end(Buffer.alloc(number("contentLength")));
  } else if ("chunked" in server) {
    const size = number("bodyZeros");
    socket.write(`${start}transfer-encoding: chunked\r\n\r\n${size.toString(16)}\r\n`);
    socket.write(Buffer.alloc(size));
    socket.end("\r\n0\r\n\r\n");
  } else if ("drip" in server) {
    const { bytes = 1, everyMs = 100, of } = server["drip"] as Record<string, never>;
    if (of === "head") drip(socket, `${start}x-slow: `, bytes, everyMs);
    else drip(socket, `${start}content-length: 100000\r\n\r\n`, bytes, everyMs);
  } else if ("informational" in server)
    socket.end(lines(number("informational"), "HTTP/1.1 103 Early Hints\r\n\r\n") + OK);
  else if ("chunkExtensionBytes" in server) {
    const extension = "x".repeat(number("chunkExtensionBytes"));
    socket.end(`${start}transfer-encoding: chunked\r\n\r\n5;e=${extension}\r\nhello\r\n0\r\n\r\n`);
  } else if ("rawHead" in server) socket.end(`${start}${String(server["rawHead"])}\r\n\r\nhello`);
  else if ("shortBody" in server) socket.end(`${start}content-length: 100\r\n\r\n0123456789`);
  else if ("trailers" in server) {
    const trailers = lines(number("trailers"), "x-t: 1\r\n");
    socket.end(`${start}transfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n${trailers}\r\n`);
  } else if ("headerBytes" in server) {
    const head = `${start}content-length: 5\r\nx: `;
    socket.end(`${head}${"y".repeat(number("headerBytes") - head.length - 4)}\r\n\r\nhello`);
  } else if ("lfOnly" in server) socket.end(OK.replaceAll("\r\n", "\n"));
  else if ("extraResponse" in server) {
    socket.write(`${start}content-length: 5\r\n\r\nhello`);
    if (nth === 1) setTimeout(() => socket.write(response("other")), 10).unref();
  } else if (status === 101)
    socket.end(`${start}connection: upgrade\r\nupgrade: websocket\r\n\r\n`);
  else {
    const body = "bodyZeros" in server ? "\0".repeat(number("bodyZeros")) : bodyOf(server);
    const cookies = lines(number("setCookie"), "set-cookie: a=b\r\n");
    socket.end(
      `${start}${cookies}connection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
  }
}

function answerCoded(
  socket: Socket,
  { encoding, status = 200 }: Readonly<Record<string, unknown>>,
  body: Buffer,
): void {
  const head = `HTTP/1.1 ${Number(status)} Status\r\ncontent-encoding: ${String(encoding)}\r\n`;
  socket.write(`${head}connection: close\r\ncontent-length: ${body.length}\r\n\r\n`);
  socket.end(body);
}

/** A body that really is coded as its header says; unknown names are sent over a plain one. */
async function codedBody(server: Readonly<Record<string, unknown>>): Promise<Buffer> {
  const { raw, encoding, bodyZeros } = server;
  if (raw !== undefined) {
    const whole = gzipSync(bodyOf(server).repeat(100));
    return raw === "truncated gzip stream"
      ? whole.subarray(0, whole.length / 2)
      : Buffer.concat([whole, Buffer.alloc(16, 120)]);
  }
  const names = String(encoding).split(",");
  const coders = names.flatMap((name) => coderOf(name.trim().toLowerCase()) ?? []);
  const zeros = Number(bodyZeros ?? 0);
  const source = Readable.from(zeros > 0 ? zerosOf(zeros) : [Buffer.from(bodyOf(server))]);
  const parts: Buffer[] = [];
  await pipeline([
    source,
    ...coders,
    new Writable({
      write(part: Buffer, _encoding, done) {
        parts.push(part);
        done();
      },
    }),
  ]);
  return Buffer.concat(parts);
}

function coderOf(name: string): Transform | undefined {
  if (name === "gzip" || name === "x-gzip") return createGzip();
  if (name === "br") return createBrotliCompress({ params: { 1: 5 } });
  return name === "zstd" ? createZstdCompress() : undefined;
}

function* zerosOf(count: number): Generator<Buffer> {
  const block = Buffer.alloc(1_048_576);
  for (let left = count; left > 0; left -= block.length) yield block.subarray(0, left);
}

function drip(socket: Socket, start: string, bytes: number, everyMs: number): void {
  socket.write(start);
  const timer = setInterval(() => socket.write("x".repeat(bytes)), everyMs);
  socket.on("close", () => clearInterval(timer));
}

function redirect({ status, location, headers = {} }: RedirectAnswer): Buffer {
  const all = location === undefined ? headers : { location, ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `HTTP/1.1 ${status} Found\r\n${lines.join("")}connection: close\r\n`;
  return Buffer.from(`${head}content-length: 0\r\n\r\n`, "latin1");
}

function response(body: string): string {
  return `HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

function bodyOf(server: Readonly<Record<string, unknown>>): string {
  const { body } = server;
  return typeof body === "string" ? body : "hello";
}
