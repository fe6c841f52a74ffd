import { once } from "node:events";
import { type Socket, connect } from "node:net";

import type { HttpExchange } from "@glovebox/core/ports";
import { callScope, fakeClock } from "@glovebox/testkit";
import { expect, test } from "vitest";

import { PUBLIC_ADDRESS, type Lab, createLab, rejectionOf, send, valueOf } from "../lab.ts";
import { startRawServer } from "../raw-server.ts";

// CWE-400: each byte resets an idle timer, so only a total can end it. Time is moved by hand.
const network = {
  allowHttpOutbound: true,
  allowedHosts: ["api.example.com"],
  allowInsecureHttp: true,
  limits: {
    totalTimeoutMs: 5_000,
    idleTimeoutMs: 1_000,
    firstByteTimeoutMs: 2_000,
    connectTimeoutMs: 500,
    resolveTimeoutMs: 300,
  },
};

function labWith(
  port: number,
  clock: ReturnType<typeof fakeClock>,
  more: Partial<Parameters<typeof createLab>[0]> = {},
): Lab {
  return createLab({
    policy: { network },
    dns: { "*": [[PUBLIC_ADDRESS]] },
    port,
    ...more,
    deps: { clock, ...more.deps },
  });
}

async function begin(lab: Lab): Promise<HttpExchange> {
  const port = lab.broker.http(lab.grant());
  return valueOf(
    await port.begin(callScope(), { method: "GET", url: "http://api.example.com/", headers: [] }),
  );
}

test("a body of one byte at a time ends at the total time", async () => {
  const clock = fakeClock();
  let client: Socket | undefined;
  await using server = await startRawServer((socket) => {
    client = socket;
    socket.write("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n");
  });
  await using lab = labWith(server.port, clock);
  await using exchange = await begin(lab);
  await exchange.finish();
  let code = "";
  for (let bytes = 0; code === "" && bytes < 20; bytes += 1) {
    client?.write("x");
    try {
      await exchange.readBody(1);
      clock.advance(900);
    } catch (error) {
      code = (error as { code: string }).code;
    }
  }
  expect(code).toBe("BROKER_TIMEOUT_TOTAL");
});

test("a body that stops ends at the idle time", async () => {
  const clock = fakeClock();
  await using server = await startRawServer((socket) =>
    socket.write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"),
  );
  await using lab = labWith(server.port, clock);
  await using exchange = await begin(lab);
  await exchange.finish();
  const read = rejectionOf(exchange.readBody(1));
  clock.advance(1_000);
  expect(await read).toBe("BROKER_TIMEOUT_IDLE");
});

test("a server that accepts and says nothing ends at the first-byte time", async () => {
  const clock = fakeClock();
  await using server = await startRawServer(() => undefined);
  await using lab = labWith(server.port, clock);
  await using exchange = await begin(lab);
  const head = rejectionOf(exchange.finish());
  clock.advance(2_000);
  expect(await head).toBe("BROKER_TIMEOUT_FIRST_BYTE");
});

test("a connection that never comes ends at the connect time", async () => {
  const clock = fakeClock();
  const dialled = Promise.withResolvers<void>();
  await using lab = labWith(0, clock, {
    deps: {
      clock,
      dial() {
        dialled.resolve();
        return new Promise<never>(() => undefined);
      },
    },
  });
  await using exchange = await begin(lab);
  const head = rejectionOf(exchange.finish());
  await dialled.promise;
  clock.advance(500);
  expect(await head).toBe("BROKER_TIMEOUT_CONNECT");
});

test("a look-up that never ends is refused at its time", async () => {
  const clock = fakeClock();
  const asked = Promise.withResolvers<void>();
  await using lab = labWith(0, clock, {
    deps: {
      clock,
      resolve() {
        asked.resolve();
        return new Promise<never>(() => undefined);
      },
    },
  });
  const sent = send(lab.broker.http(lab.grant()), "http://api.example.com/");
  await asked.promise;
  clock.advance(300);
  expect((await sent).code).toBe("BROKER_RESOLVE");
});

test("a redirect to a server that says nothing ends at the first-byte time", async () => {
  const clock = fakeClock();
  const redirected = Promise.withResolvers<void>();
  await using server = await startRawServer((socket, nth) => {
    if (nth === 1) socket.end("HTTP/1.1 302 Found\r\nlocation: /b\r\ncontent-length: 0\r\n\r\n");
    else redirected.resolve();
  });
  await using lab = labWith(server.port, clock);
  await using exchange = await begin(lab);
  const head = rejectionOf(exchange.finish());
  await redirected.promise;
  clock.advance(2_000);
  expect(await head).toBe("BROKER_TIMEOUT_FIRST_BYTE");
});

test("a plugin that reads slowly is not taken for a server that sends slowly", async () => {
  const clock = fakeClock();
  const size = 600_000;
  let client: Socket | undefined;
  await using server = await startRawServer((socket) => {
    client = socket;
    socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\n\r\n`);
  });
  let dialled: Socket | undefined;
  await using lab = labWith(server.port, clock, {
    policy: { network: { ...network, limits: {} } },
    deps: {
      async dial(address) {
        const socket = connect(server.port, "127.0.0.1");
        await once(socket, "connect");
        dialled = socket;
        return { socket, remoteAddress: address };
      },
    },
  });
  await using exchange = await begin(lab);
  await exchange.finish();
  const first = exchange.readBody(1);
  client?.write(Buffer.alloc(size, 120));
  await first;
  // Beyond what is buffered for a plugin, which is when reading from the socket stops.
  await expect.poll(() => dialled?.bytesRead, { timeout: 10_000 }).toBeGreaterThan(131_072);
  for (let windows = 0; windows < 4; windows += 1) clock.advance(5_000);
  let bytes = 1;
  for (let part = await exchange.readBody(65_536); part !== null;)
    [bytes, part] = [bytes + part.length, await exchange.readBody(65_536)];
  expect(bytes).toBe(size);
});
