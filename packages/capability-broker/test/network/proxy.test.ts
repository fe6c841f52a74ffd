import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";

import { type ProxyOptions, dialThroughProxy } from "@glovebox/capability-broker/network";
import { createTestAuthority, startTlsServer } from "@glovebox/testkit/servers";
import { expect, test, vi } from "vitest";

import { PUBLIC_ADDRESS, createLab, send } from "../lab.ts";

const names = ["api.example.com"];
const authority = createTestAuthority();
const network = {
  allowHttpOutbound: true,
  allowedHosts: names,
  certificateAuthorities: [authority.ca],
};

interface Asked {
  readonly target: string;
  readonly authorization: string | undefined;
}

/** A proxy that tunnels everything to one loopback port, or answers what it is told to. */
async function startProxy(port: number, answer = "HTTP/1.1 200 OK\r\n\r\n") {
  const asked: Asked[] = [];
  const server = createServer();
  server.on("connect", (request, socket) => {
    const authorization = request.headers["proxy-authorization"];
    asked.push({ target: request.url ?? "", authorization });
    socket.write(answer);
    const inner = connect(port, "127.0.0.1");
    inner.on("error", () => socket.destroy());
    socket.on("error", () => inner.destroy());
    socket.pipe(inner).pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    asked,
    options: { host: "127.0.0.1", port: (server.address() as AddressInfo).port },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function startServer() {
  return startTlsServer((_request, response) => response.end("hello"), { names, authority });
}

function labThrough(options: ProxyOptions) {
  const dns = { "*": [[PUBLIC_ADDRESS]] };
  return createLab({ policy: { network }, dns, deps: { dial: dialThroughProxy(options) } });
}

test("a proxy is asked for the checked address, and TLS is checked inside the tunnel", async () => {
  await using server = await startServer();
  await using proxy = await startProxy(server.port);
  await using lab = labThrough({ ...proxy.options, authorization: "Basic Z2xvdmU=" });
  const sent = await send(lab.broker.http(lab.grant()), "https://api.example.com/");
  expect(sent).toMatchObject({ code: "allowed", status: 200, body: "hello" });
  const target = `${PUBLIC_ADDRESS}:443`;
  expect(proxy.asked).toEqual([{ target, authorization: "Basic Z2xvdmU=" }]);
});

test("a proxy that leads to another server is found out by its certificate", async () => {
  await using server = await startTlsServer((_request, response) => response.end("hello"), {
    names: ["other.example.com"],
    authority,
  });
  await using proxy = await startProxy(server.port);
  await using lab = labThrough(proxy.options);
  const sent = await send(lab.broker.http(lab.grant()), "https://api.example.com/");
  expect(sent.code).toBe("BROKER_TLS");
});

test.each([
  ["a refusal", "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"],
  ["an early answer", "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"],
  ["a head without end", `HTTP/1.1 200 OK\r\nx: ${"x".repeat(9_000)}\r\n\r\n`],
])("%s of a proxy ends the request", async (_name, answer) => {
  await using server = await startServer();
  await using proxy = await startProxy(server.port, answer);
  await using lab = labThrough(proxy.options);
  const sent = await send(lab.broker.http(lab.grant()), "https://api.example.com/");
  expect(sent.code).toBe("BROKER_CONNECT");
});

test("environment proxies are ignored: nothing is asked of them", async () => {
  await using server = await startServer();
  await using proxy = await startProxy(server.port);
  const url = `http://127.0.0.1:${proxy.options.port}`;
  for (const name of ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY"])
    vi.stubEnv(name, url);
  vi.stubEnv("NODE_USE_ENV_PROXY", "1");
  const dns = { "*": [[PUBLIC_ADDRESS]] };
  await using lab = createLab({ policy: { network }, dns, port: server.port });
  const sent = await send(lab.broker.http(lab.grant()), "https://api.example.com/");
  vi.unstubAllEnvs();
  expect(sent.body).toBe("hello");
  expect(proxy.asked).toEqual([]);
});
