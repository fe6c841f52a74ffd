/**
 * @module Attack: callers ask for large answers and do not read them, on many connections or with
 * many requests on one; or they break off their own bodies to fill the operator's log. What must not
 * happen: memory without bound, a connection without end, an error in the log.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

import { createHostApp } from "@glovebox/host";
import { expect, onTestFinished, test } from "vitest";

import { listen } from "../../src/http/server.ts";
import { MAX_HELD_ANSWER_BYTES } from "../../src/limits.ts";
import { fakeHost, success, USAGE } from "../http/fake-runtime.ts";

const MIB = 1024 * 1024;
const CALL = "POST /plugins/p/functions/f HTTP/1.1\r\nHost: localhost\r\n";
const BYTES_CALL = `${CALL}Content-Type: application/octet-stream\r\nContent-Length: 1\r\n\r\nx`;
const LARGEST = success(new Uint8Array(16 * MIB));
const FITTING = MAX_HELD_ANSWER_BYTES / (16 * MIB);

async function open(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

function callBytes(host: Pick<ReturnType<typeof fakeHost>, "request">): Promise<Response> {
  return host.request("/plugins/p/functions/f", {
    method: "POST",
    headers: { "content-type": "application/octet-stream" },
    body: "x",
  });
}

test("unread answers use up a budget, and then no call begins", async () => {
  const host = fakeHost(LARGEST);
  const unread: Response[] = [];
  for (let index = 0; index < FITTING; index++) unread.push(await callBytes(host));
  expect(unread.map(({ status }) => status)).toEqual(Array(FITTING).fill(200));
  const refused = await callBytes(host);
  expect([refused.status, await refused.json()]).toMatchObject([503, { code: "HOST_BUSY" }]);
  expect((await host.post({ input: 1 })).status).toBe(503);
  expect(host.calls).toHaveLength(FITTING);

  expect((await unread[0]?.arrayBuffer())?.byteLength).toBe(16 * MIB);
  unread.push(await callBytes(host));
  expect(unread.at(-1)?.status).toBe(200);
  await unread[1]?.body?.cancel();
  expect((await callBytes(host)).status).toBe(200);
});

test("calls at the same time that end beyond the budget give up their output", async () => {
  const { promise: ended, resolve: end } = Promise.withResolvers<typeof LARGEST>();
  const host = fakeHost(LARGEST, { runtime: { executePluginFunction: () => ended } });
  const calls = Array.from({ length: FITTING + 4 }, () => callBytes(host));
  end(LARGEST);
  const responses = await Promise.all(calls);
  const refused = responses.filter(({ status }) => status !== 200);
  expect(refused.map(({ status }) => status)).toEqual(Array(4).fill(503));
  expect(await refused[0]?.json()).toMatchObject({ code: "HOST_BUSY", usage: USAGE });
});

test("text that grows as JSON counts as what is held", async () => {
  let outcome = LARGEST;
  const host = fakeHost(undefined, { runtime: { executePluginFunction: async () => outcome } });
  for (let index = 0; index < FITTING - 1; index++) await callBytes(host);
  // Six bytes for each as JSON: beyond the 16 MiB that are left.
  outcome = success("\u0001".repeat(3 * MIB));
  expect((await host.post({ input: 1 })).status).toBe(503);
  expect((await callBytes(host)).status).toBe(200);
});

test("an answer that is not read ends its connection, and its bytes are given back", async () => {
  const { runtime } = fakeHost(LARGEST);
  const app = createHostApp({ runtime });
  const ends: Promise<unknown>[] = [];
  const server = await listen(
    async (request) => {
      const { signal } = request;
      ends.push(once(signal, "abort"));
      return app.fetch(request);
    },
    "127.0.0.1",
    0,
    { answerTimeoutMs: 500 },
  );
  onTestFinished(async () => void (await server.close(0)));
  for (let index = 0; index < FITTING; index++) {
    const socket = await open(server.port);
    socket.pause().write(BYTES_CALL);
    await once(socket, "readable");
  }
  await Promise.all(ends);
  const headers = { host: "localhost", "content-type": "application/octet-stream" };
  const init = { method: "POST", headers, body: "x" };
  expect((await app.request("/plugins/p/functions/f", init)).status).toBe(200);
});

test("a connection that does not wait for its answer is cut", async () => {
  const { promise: never } = Promise.withResolvers<Response>();
  let requests = 0;
  const server = await listen(
    () => {
      requests++;
      return never;
    },
    "127.0.0.1",
    0,
  );
  onTestFinished(async () => void (await server.close(0)));
  const socket = await open(server.port);
  socket.resume().write(BYTES_CALL.repeat(60));
  await once(socket, "close");
  expect(requests).toBe(1);
});

test("a connection that waits for its answers has many, one after the other", async () => {
  const server = await listen(() => new Response("done"), "127.0.0.1", 0);
  onTestFinished(async () => void (await server.close(0)));
  const socket = await open(server.port);
  for (let index = 0; index < 3; index++) {
    socket.write(BYTES_CALL);
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 200 /);
  }
});

test("a body that is broken off is no error in the log", async () => {
  const lines: string[] = [];
  const { promise: logged, resolve: log } = Promise.withResolvers<void>();
  const note = (level: string) => (_fields: object, message: string) => {
    lines.push(`${level}: ${message}`);
    log();
  };
  const logger = {
    debug: note("debug"),
    info: note("info"),
    warn: note("warn"),
    error: note("error"),
  };
  const { runtime, calls } = fakeHost();
  const app = createHostApp({ runtime, logger });
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const server = await listen(
    (request) => {
      begin();
      return app.fetch(request);
    },
    "127.0.0.1",
    0,
  );
  onTestFinished(async () => void (await server.close(0)));
  const socket = await open(server.port);
  socket.write(`${CALL}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{`);
  await begun;
  socket.destroy();
  await logged;
  expect(lines).toEqual(["debug: the body did not arrive whole"]);
  expect(calls).toEqual([]);
});
