import type { Socket } from "node:net";

import { fakeClock } from "@glovebox/testkit";
import { callScope } from "@glovebox/testkit";
import { createTestAuthority } from "@glovebox/testkit/servers";
import { expect, test } from "vitest";

import { PUBLIC_ADDRESS, createLab, send, valueOf } from "../lab.ts";
import { startRawServer } from "../raw-server.ts";

// CWE-400: bytes that are no body, for which the parser has no bound (chunk extensions, 1xx, trailers).
const authority = createTestAuthority();
const identity = authority.issue({ names: ["api.example.com"] });
const network = {
  allowHttpOutbound: true,
  allowedHosts: ["api.example.com"],
  allowInsecureHttp: true,
  certificateAuthorities: [authority.ca],
};
const CHUNKED = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

async function answerOf(answer: (socket: Socket) => void, scheme = "http") {
  await using server = await startRawServer(answer, scheme === "https" ? identity : undefined);
  await using lab = createLab({
    policy: { network },
    dns: { "*": [[PUBLIC_ADDRESS]] },
    port: server.port,
  });
  return await send(lab.broker.http(lab.grant()), `${scheme}://api.example.com/`);
}

function flood(socket: Socket, start: string, piece: string): void {
  socket.write(start);
  const more = (): void => {
    if (!socket.destroyed && socket.write(piece)) setImmediate(more);
  };
  socket.on("drain", more);
  more();
}

test.each(["http", "https"])(
  "a chunk extension of 20 kB over %s ends the response",
  async (scheme) => {
    const sent = await answerOf((socket) => {
      socket.end(`${CHUNKED}5;e=${"x".repeat(20_480)}\r\nhello\r\n0\r\n\r\n`);
    }, scheme);
    expect(sent.code).toBe("BROKER_RESPONSE_OVERHEAD");
  },
);

test.each(["http", "https"])(
  "a chunk extension without end over %s ends the response",
  async (scheme) => {
    const sent = await answerOf(
      (socket) => flood(socket, `${CHUNKED}5;e=`, "x".repeat(8_192)),
      scheme,
    );
    expect(sent.code).toBe("BROKER_RESPONSE_OVERHEAD");
  },
);

test("chunks of one byte each end the response", async () => {
  const sent = await answerOf((socket) => flood(socket, CHUNKED, "1\r\nx\r\n".repeat(1_000)));
  expect(sent.code).toBe("BROKER_RESPONSE_OVERHEAD");
});

test.each(["http", "https"])(
  "a large body in ordinary chunks over %s comes whole",
  async (scheme) => {
    const chunk = `400\r\n${"x".repeat(1_024)}\r\n`;
    const sent = await answerOf(
      (socket) => socket.end(`${CHUNKED}${chunk.repeat(2_000)}0\r\n\r\n`),
      scheme,
    );
    expect(sent).toMatchObject({ code: "allowed", bodyBytes: 2_048_000 });
  },
);

test("informational responses without end end the response", async () => {
  const sent = await answerOf((socket) => flood(socket, "", "HTTP/1.1 103 Early Hints\r\n\r\n"));
  expect(sent.code).toBe("BROKER_RESPONSE_HEAD");
});

test("a body below the least rate ends before its total time", async () => {
  const clock = fakeClock();
  let client: Socket | undefined;
  await using server = await startRawServer((socket) => {
    client = socket;
    socket.write("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nx");
  });
  await using lab = createLab({
    policy: { network },
    dns: { "*": [[PUBLIC_ADDRESS]] },
    port: server.port,
    deps: { clock },
  });
  const port = lab.broker.http(lab.grant());
  await using exchange = valueOf(
    await port.begin(callScope(), { method: "GET", url: "http://api.example.com/", headers: [] }),
  );
  await exchange.finish();
  let code = "";
  for (let at = 0; code === "" && at < 10; at += 1) {
    client?.write("x");
    try {
      await exchange.readBody(1);
      clock.advance(900);
    } catch (error) {
      code = (error as { code: string }).code;
    }
  }
  expect(code).toBe("BROKER_TIMEOUT_RATE");
});

test("chunks may cost a quarter of the body that they bring, and no more", async () => {
  const inChunksOf = (size: number) => (socket: Socket) => {
    const chunk = `${size.toString(16)}\r\n${"x".repeat(size)}\r\n`;
    socket.end(`${CHUNKED}${chunk.repeat(200_000 / size)}0\r\n\r\n`);
  };
  expect((await answerOf(inChunksOf(40))).code).toBe("allowed");
  expect((await answerOf(inChunksOf(10))).code).toBe("BROKER_RESPONSE_OVERHEAD");
});
