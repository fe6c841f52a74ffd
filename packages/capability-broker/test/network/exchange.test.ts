import { createHash, randomBytes } from "node:crypto";
import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib";

import { effectiveGrant } from "@glovebox/capability-broker";
import { callScope } from "@glovebox/testkit";
import {
  type CertificateKind,
  createTestAuthority,
  startHttpServer,
  startTlsServer,
} from "@glovebox/testkit/servers";
import { afterEach, expect, test, vi } from "vitest";

import { PUBLIC_ADDRESS, codeOf, createLab, readAll, rejectionOf, send, valueOf } from "../lab.ts";

const dns = { "*": [[PUBLIC_ADDRESS]] };
const insecure = {
  allowHttpOutbound: true,
  allowedHosts: ["api.example.com"],
  allowInsecureHttp: true,
};
const authority = createTestAuthority();
const names = ["api.example.com"];

afterEach(() => vi.unstubAllEnvs());

test("a request over TLS comes back whole, and the call's meter counts it", async () => {
  await using server = await startTlsServer((_request, response) => response.end("hello"), {
    names,
    authority,
  });
  const network = {
    allowHttpOutbound: true,
    allowedHosts: names,
    certificateAuthorities: [authority.ca],
  };
  await using lab = createLab({ policy: { network }, dns, port: server.port });
  const scope = callScope();
  const sent = await send(lab.broker.http(lab.grant()), "https://api.example.com/", { scope });
  expect(sent).toMatchObject({ code: "allowed", status: 200, body: "hello" });
  expect(scope.meter.counts.networkRequests).toBe(1);
  expect(lab.dials).toEqual([`${PUBLIC_ADDRESS}:443`]);
  expect(lab.log.kinds).toEqual([
    "capability.grant",
    "network.request",
    "network.address",
    "network.response",
  ]);
});

test.each<CertificateKind>(["self-signed", "wrong-name", "expired", "not-yet-valid", "cn-only"])(
  "a certificate that is %s is refused, also when the environment switches verification off",
  async (cert) => {
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    await using server = await startTlsServer((_request, response) => response.end("hello"), {
      cert,
      names,
      authority,
    });
    const network = {
      allowHttpOutbound: true,
      allowedHosts: names,
      certificateAuthorities: [authority.ca],
    };
    await using lab = createLab({ policy: { network }, dns, port: server.port });
    expect((await send(lab.broker.http(lab.grant()), "https://api.example.com/")).code).toBe(
      "BROKER_TLS",
    );
    expect(server.requests).toBe(0);
  },
);

test("a body larger than the buffer arrives in chunks and unchanged", async () => {
  const body = randomBytes(1_000_000);
  await using server = await startHttpServer((request, response) => {
    const hash = createHash("sha256");
    request.on("data", (chunk: Buffer) => hash.update(chunk));
    request.on("end", () =>
      response.end(`${request.headers["transfer-encoding"]} ${hash.digest("hex")}`),
    );
  });
  await using lab = createLab({ policy: { network: insecure }, dns, port: server.port });
  const sent = await send(lab.broker.http(lab.grant()), "http://api.example.com/", {
    method: "POST",
    body,
  });
  expect(sent.body).toBe(`chunked ${createHash("sha256").update(body).digest("hex")}`);
});

test("a proxy in the environment is not used", async () => {
  await using proxy = await startHttpServer((_request, response) => response.end("proxied"));
  await using server = await startHttpServer((_request, response) => response.end("direct"));
  vi.stubEnv("NODE_USE_ENV_PROXY", "1");
  vi.stubEnv("HTTP_PROXY", proxy.url);
  await using lab = createLab({ policy: { network: insecure }, dns, port: server.port });
  expect((await send(lab.broker.http(lab.grant()), "http://api.example.com/")).body).toBe("direct");
  expect(proxy.connections).toBe(0);
});

test.each([
  ["gzip", gzipSync],
  ["br", brotliCompressSync],
  ["zstd", zstdCompressSync],
])("a body in %s is handed over decoded, with a head that says so", async (coding, code) => {
  const bytes = code(Buffer.from("hello ".repeat(1_000)));
  await using server = await startHttpServer((_request, response) =>
    response.writeHead(200, { "content-encoding": coding, "x-a": "b" }).end(bytes),
  );
  await using lab = createLab({ policy: { network: insecure }, dns, port: server.port });
  const sent = await send(lab.broker.http(lab.grant()), "http://api.example.com/");
  expect(sent).toMatchObject({ code: "allowed", body: "hello ".repeat(1_000) });
  const sentNames = sent.headers?.map(([name]) => name);
  expect(sentNames).toContain("x-a");
  expect(sentNames).not.toContain("content-encoding");
  expect(sentNames).not.toContain("content-length");
  expect(sent.status).toBe(200);
});

test("the next address of an answer is tried when the first does not connect", async () => {
  await using server = await startHttpServer((_request, response) => response.end("hello"));
  const { connect } = await import("node:net");
  await using lab = createLab({
    policy: { network: insecure },
    dns: { "*": [["8.8.8.8", PUBLIC_ADDRESS]] },
    deps: {
      async dial(address) {
        if (address === "8.8.8.8") throw new Error("unreachable");
        const socket = connect(server.port, "127.0.0.1");
        await new Promise((resolve) => socket.once("connect", resolve));
        return { socket, remoteAddress: address };
      },
    },
  });
  expect((await send(lab.broker.http(lab.grant()), "http://api.example.com/")).body).toBe("hello");
});

test("exchanges are limited at a time, and an ended one makes room", async () => {
  await using server = await startHttpServer((_request, response) => response.end("hello"));
  await using lab = createLab({
    policy: { network: { ...insecure, limits: { maxConcurrent: 1 } } },
    dns,
    port: server.port,
  });
  const port = lab.broker.http(lab.grant());
  const request = { method: "GET", url: "http://api.example.com/", headers: [] };
  const first = valueOf(await port.begin(callScope(), request));
  expect(codeOf(await port.begin(callScope(), request))).toBe("BROKER_NETWORK_BUSY");
  await first[Symbol.asyncDispose]();
  const second = valueOf(await port.begin(callScope(), request));
  await second.finish();
  expect((await readAll(second)).toString()).toBe("hello");
  expect(await second.readBody(1)).toBeNull();
});

test("bytes that were read are the reader's own", async () => {
  await using server = await startHttpServer((_request, response) => response.end("hello"));
  await using lab = createLab({ policy: { network: insecure }, dns, port: server.port });
  const exchange = valueOf(
    await lab.broker
      .http(lab.grant())
      .begin(callScope(), { method: "GET", url: "http://api.example.com/", headers: [] }),
  );
  await exchange.finish();
  const bytes = await exchange.readBody(3);
  expect(bytes?.buffer.byteLength).toBe(3);
  expect((await readAll(exchange)).toString()).toBe("lo");
});

test("operations out of order are refused without breaking the exchange", async () => {
  await using server = await startHttpServer((_request, response) => response.end("hello"));
  await using lab = createLab({ policy: { network: insecure }, dns, port: server.port });
  const exchange = valueOf(
    await lab.broker
      .http(lab.grant())
      .begin(callScope(), { method: "GET", url: "http://api.example.com/", headers: [] }),
  );
  expect(await rejectionOf(exchange.readBody(1))).toBe("BROKER_EXCHANGE_STATE");
  expect(await rejectionOf(exchange.writeBody(new Uint8Array(1)))).toBe("BROKER_EXCHANGE_STATE");
  await exchange.finish();
  expect(await rejectionOf(exchange.readBody(0))).toBe("BROKER_EXCHANGE_STATE");
  expect((await readAll(exchange)).toString()).toBe("hello");
});

test("a connection that cannot be made, and a plugin without a grant, are refused", async () => {
  await using lab = createLab({
    policy: { network: insecure },
    dns,
    deps: { dial: () => Promise.reject(new Error("refused")) },
  });
  expect((await send(lab.broker.http(lab.grant()), "http://api.example.com/")).code).toBe(
    "BROKER_CONNECT",
  );
  expect((await send(lab.broker.http(lab.grant({})), "http://api.example.com/")).code).toBe(
    "BROKER_NETWORK_NOT_GRANTED",
  );
  expect(valueOf(effectiveGrant({}, {})).network).toBeUndefined();
});

test("a grant that follows no redirect hands it over as it is", async () => {
  await using server = await startHttpServer((_request, response) =>
    response.writeHead(302, { location: "https://evil.com/" }).end("moved"),
  );
  const limits = { maxRedirects: 0 };
  await using lab = createLab({
    policy: { network: { ...insecure, limits } },
    dns,
    port: server.port,
  });
  const sent = await send(lab.broker.http(lab.grant()), "http://api.example.com/");
  expect(sent).toMatchObject({ code: "allowed", status: 302, body: "moved" });
  expect(sent.headers).toContainEqual(["location", "https://evil.com/"]);
  expect(lab.lookUps).toEqual(["api.example.com"]);
});

test("a body has one writer and one reader, and ends with the request", async () => {
  const goOn = Promise.withResolvers<void>();
  const request = { method: "POST", url: "http://api.example.com/", headers: [] };
  await using server = await startHttpServer((incoming, response) => {
    incoming.resume();
    incoming.on("end", () => {
      response.flushHeaders();
      void goOn.promise.then(() => response.end("hello"));
    });
  });
  await using lab = createLab({ policy: { network: insecure }, dns, port: server.port });
  const exchange = valueOf(await lab.broker.http(lab.grant()).begin(callScope(), request));
  const writing = exchange.writeBody(new Uint8Array(1_000_000));
  expect(await rejectionOf(exchange.writeBody(new Uint8Array(1)))).toBe("BROKER_EXCHANGE_STATE");
  expect(await rejectionOf(exchange.finish())).toBe("BROKER_EXCHANGE_STATE");
  await writing;
  const head = exchange.finish();
  expect(await rejectionOf(exchange.writeBody(new Uint8Array(1)))).toBe("BROKER_EXCHANGE_STATE");
  expect((await head).status).toBe(200);
  const reading = exchange.readBody(1);
  expect(await rejectionOf(exchange.readBody(1))).toBe("BROKER_EXCHANGE_STATE");
  goOn.resolve();
  expect(await reading).toHaveLength(1);
});

test.each([
  ["HEAD", 200],
  ["GET", 204],
  ["GET", 304],
])(
  "an answer to %s of status %i has a head of a body that is not there",
  async (method, status) => {
    const coded = { "content-encoding": "gzip, unknown" };
    await using server = await startHttpServer((_request, response) =>
      response.writeHead(status, coded).end(),
    );
    await using lab = createLab({ policy: { network: insecure }, dns, port: server.port });
    const sent = await send(lab.broker.http(lab.grant()), "http://api.example.com/", { method });
    expect(sent).toMatchObject({ code: "allowed", status, body: "" });
    expect(sent.headers).toContainEqual(["content-encoding", "gzip, unknown"]);
  },
);

test("bytes of a body that change after they were written are sent as they were", async () => {
  let received = "";
  await using server = await startHttpServer((request, response) => {
    request.on("data", (chunk) => (received += String(chunk)));
    request.on("end", () => response.end("hello"));
  });
  await using lab = createLab({ policy: { network: insecure }, dns, port: server.port });
  const request = { method: "POST", url: "http://api.example.com/", headers: [] };
  const exchange = valueOf(await lab.broker.http(lab.grant()).begin(callScope(), request));
  const body = Buffer.from("as it was inspected");
  await exchange.writeBody(body);
  body.fill("x");
  await exchange.finish();
  expect(received).toBe("as it was inspected");
});
