import { once } from "node:events";
import { get, request as startRequest } from "node:http";
import { get as getSecure } from "node:https";
import { connect as connectTcp } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";

import {
  createTestAuthority,
  startHttpServer,
  startTlsServer,
  type CertificateKind,
  type LoopbackTlsServer,
} from "@glovebox/testkit/servers";
import { expect, test } from "vitest";

type Handler = Parameters<typeof startHttpServer>[0];

const hello: Handler = (_request, response) => void response.end("hello");

/** `authorized`, or the code with which node:tls refuses. */
async function judge(server: LoopbackTlsServer, options: ConnectionOptions = {}): Promise<string> {
  const socket = connectTls({
    host: "127.0.0.1",
    port: server.port,
    servername: "localhost",
    ca: server.ca,
    ...options,
  });
  try {
    await once(socket, "secureConnect");
    return socket.authorized ? "authorized" : "unauthorized";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  } finally {
    socket.destroy();
  }
}

async function bodyOf(open: typeof get, url: string, ca?: string): Promise<string> {
  const [response] = (await once(
    open(url, { agent: false, ...(ca && { ca }) } as object),
    "response",
  )) as [AsyncIterable<Buffer>];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

test("serves HTTP on loopback and counts connections and requests", async () => {
  await using server = await startHttpServer(hello);
  expect(server.url).toBe(`http://127.0.0.1:${server.port}`);
  expect([server.connections, server.requests]).toEqual([0, 0]);
  expect(await bodyOf(get, server.url)).toBe("hello");
  expect(await bodyOf(get, server.url)).toBe("hello");
  expect([server.connections, server.requests]).toEqual([2, 2]);
});

test("serves HTTPS to a client that trusts its authority, and to no other", async () => {
  await using server = await startTlsServer(hello);
  expect(server.url).toBe(`https://localhost:${server.port}`);
  expect(await bodyOf(getSecure, server.url, server.ca)).toBe("hello");
  expect(await judge(server, { ca: createTestAuthority().ca })).not.toBe("authorized");
  expect(server.requests).toBe(1);
});

test.each<[CertificateKind, string]>([
  ["ok", "authorized"],
  ["self-signed", "DEPTH_ZERO_SELF_SIGNED_CERT"],
  ["wrong-name", "ERR_TLS_CERT_ALTNAME_INVALID"],
  ["expired", "CERT_HAS_EXPIRED"],
  ["not-yet-valid", "CERT_NOT_YET_VALID"],
  // Node falls back to the common name: who must refuse this has to check by itself.
  ["cn-only", "authorized"],
])("node:tls says of a certificate that is %s: %s", async (cert, verdict) => {
  await using server = await startTlsServer(hello, { cert });
  expect(await judge(server)).toBe(verdict);
});

test("a wrong certificate is wrong in one way only", async () => {
  await using wrongName = await startTlsServer(hello, { cert: "wrong-name" });
  expect(await judge(wrongName, { servername: "wrong-name.invalid" })).toBe("authorized");
  await using selfSigned = await startTlsServer(hello, { cert: "self-signed" });
  expect(await judge(selfSigned, { ca: selfSigned.cert })).toBe("authorized");
});

test("carries the names it is given, wildcards too", async () => {
  await using server = await startTlsServer(hello, { names: ["api.example.com", "*.trusted.com"] });
  expect(server.url).toBe(`https://api.example.com:${server.port}`);
  expect(await judge(server, { servername: "api.example.com" })).toBe("authorized");
  expect(await judge(server, { servername: "a.trusted.com" })).toBe("authorized");
  expect(await judge(server, { servername: "trusted.com" })).toBe("ERR_TLS_CERT_ALTNAME_INVALID");
});

test("signs with the authority that a test brings", async () => {
  const authority = createTestAuthority("Another authority");
  await using server = await startTlsServer(hello, { authority });
  expect(server.ca).toBe(authority.ca);
  expect(await judge(server)).toBe("authorized");
});

test("passes TLS options on to the server", async () => {
  await using server = await startTlsServer(hello, { tls: { maxVersion: "TLSv1.2" } });
  expect(await judge(server)).toBe("authorized");
  expect(await judge(server, { minVersion: "TLSv1.3" })).not.toBe("authorized");
});

test("close ends a request that is never answered and a handshake that never starts", async () => {
  const arrived = Promise.withResolvers<void>();
  const server = await startHttpServer(() => arrived.resolve());
  const request = startRequest(server.url);
  const failed = once(request, "error");
  request.end();
  await arrived.promise;
  const secure = await startTlsServer(hello);
  const silent = connectTcp(secure.port, "127.0.0.1");
  silent.on("error", () => undefined);
  await once(silent, "connect");
  const ended = once(silent, "close");
  // The server may learn of the connection after the client does.
  while (secure.connections === 0) await new Promise((resolve) => setImmediate(resolve));
  await Promise.all([server.close(), secure.close(), server.close()]);
  await Promise.all([failed, ended]);
  const again = connectTcp(server.port, "127.0.0.1");
  const [error] = (await once(again, "error")) as [NodeJS.ErrnoException];
  expect(error.code).toBe("ECONNREFUSED");
});
