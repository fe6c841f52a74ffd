import type { Socket } from "node:net";

import type { HostPolicy } from "@glovebox/capability-broker";
import { callScope } from "@glovebox/testkit";
import { expect, test } from "vitest";

import { PUBLIC_ADDRESS, createLab, readAll, send, valueOf } from "../lab.ts";
import { startRawServer } from "../raw-server.ts";

// CWE-400, CWE-770: a server as large as it likes.
const policy: HostPolicy = {
  network: {
    allowHttpOutbound: true,
    allowedHosts: ["api.example.com"],
    allowInsecureHttp: true,
    limits: { maxResponseBytes: 1_000, maxRequestBytes: 500_000 },
  },
};

async function answerOf(answer: (socket: Socket) => void): Promise<string> {
  await using server = await startRawServer(answer);
  await using lab = createLab({ policy, dns: { "*": [[PUBLIC_ADDRESS]] }, port: server.port });
  return (await send(lab.broker.http(lab.grant()), "http://api.example.com/")).code;
}

test("a declared length over the limit ends the exchange before a byte is read", async () => {
  expect(
    await answerOf((socket) => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n")),
  ).toBe("BROKER_RESPONSE_SIZE");
});

test("an endless body ends at the limit", async () => {
  const endless = (socket: Socket): void => {
    socket.write("HTTP/1.1 200 OK\r\n\r\n");
    const more = (): void => {
      if (!socket.destroyed && socket.write(Buffer.alloc(16_384))) setImmediate(more);
    };
    socket.on("drain", more);
    more();
  };
  expect(await answerOf(endless)).toBe("BROKER_RESPONSE_SIZE");
});

test.each([
  ["a head of 20 kB", `HTTP/1.1 200 OK\r\nx: ${"y".repeat(20_000)}\r\n\r\n`],
  ["101 headers", `HTTP/1.1 200 OK\r\n${"x: y\r\n".repeat(100)}content-length: 0\r\n\r\n`],
  [
    "21 trailers",
    `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n${"x: y\r\n".repeat(21)}\r\n`,
  ],
  [
    "21 informational responses",
    `${"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(21)}HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n`,
  ],
])("%s is refused", async (_name, bytes) => {
  expect(await answerOf((socket) => socket.end(bytes))).toBe("BROKER_RESPONSE_HEAD");
});

test("a body at the limit comes whole", async () => {
  await using server = await startRawServer((socket) =>
    socket.end(`HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n${"x".repeat(1_000)}`),
  );
  await using lab = createLab({ policy, dns: { "*": [[PUBLIC_ADDRESS]] }, port: server.port });
  expect(await send(lab.broker.http(lab.grant()), "http://api.example.com/")).toMatchObject({
    code: "allowed",
    bodyBytes: 1_000,
  });
});

test("the socket is not read further than the buffer while the plugin does not read", async () => {
  const size = 4_000_000;
  let socket: Socket | undefined;
  await using server = await startRawServer((client) => {
    socket = client;
    client.write(`HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\n\r\n`);
    client.end(Buffer.alloc(size, 120));
  });
  const wide: HostPolicy = {
    network: {
      allowHttpOutbound: true,
      allowedHosts: ["api.example.com"],
      allowInsecureHttp: true,
    },
  };
  let dialled: Socket | undefined;
  const { connect } = await import("node:net");
  await using lab = createLab({
    policy: wide,
    dns: { "*": [[PUBLIC_ADDRESS]] },
    deps: {
      async dial(address) {
        const client = connect(server.port, "127.0.0.1");
        await new Promise((resolve) => client.once("connect", resolve));
        dialled = client;
        return { socket: client, remoteAddress: address };
      },
    },
  });
  const port = lab.broker.http(lab.grant());
  await using exchange = valueOf(
    await port.begin(callScope(), { method: "GET", url: "http://api.example.com/", headers: [] }),
  );
  await exchange.finish();
  // The server cannot write more once both kernels' buffers are full: then nothing moves any more.
  let before = -1;
  while (before !== dialled?.bytesRead) {
    before = dialled?.bytesRead ?? 0;
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(before).toBeLessThan(262_144 + 65_536);
  expect(await readAll(exchange)).toHaveLength(size);
  expect(socket?.bytesWritten).toBeGreaterThan(size);
});

test("a request over the limit is ended, a longer one within it arrives in chunks", async () => {
  await using server = await startRawServer((socket) => {
    socket.on("data", () => undefined);
    socket.end("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok");
  });
  await using lab = createLab({ policy, dns: { "*": [[PUBLIC_ADDRESS]] }, port: server.port });
  const port = lab.broker.http(lab.grant());
  const url = "http://api.example.com/";
  expect((await send(port, url, { method: "POST", body: new Uint8Array(500_001) })).code).toBe(
    "BROKER_REQUEST_SIZE",
  );
  expect(lab.dials).toEqual([]);
});

test("the bytes that a grant may receive in all are not exceeded by any response", async () => {
  await using server = await startRawServer((socket) =>
    socket.end(
      `HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 60\r\n\r\n${"x".repeat(60)}`,
    ),
  );
  await using lab = createLab({ policy, dns: { "*": [[PUBLIC_ADDRESS]] }, port: server.port });
  const { network } = policy;
  if (network === undefined) throw new Error("no policy");
  const request = { network: { ...network, secrets: [] } };
  const quota = { receivedBytes: 100 };
  const grant = valueOf(lab.broker.grant(lab.grant().pluginId, request, { quota }));
  const codes: string[] = [];
  for (let at = 0; at < 2; at += 1)
    codes.push((await send(lab.broker.http(grant), "http://api.example.com/")).code);
  expect(codes).toEqual(["allowed", "BROKER_QUOTA"]);
  expect(lab.broker.usage(grant).receivedBytes).toBe(60);
});

test("a HEAD announces what it does not send", async () => {
  await using server = await startRawServer((socket) =>
    socket.end("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 99999999\r\n\r\n"),
  );
  await using lab = createLab({ policy, dns: { "*": [[PUBLIC_ADDRESS]] }, port: server.port });
  const port = lab.broker.http(lab.grant());
  const sent = await send(port, "http://api.example.com/", { method: "HEAD" });
  expect(sent).toMatchObject({ code: "allowed", body: "" });
});
