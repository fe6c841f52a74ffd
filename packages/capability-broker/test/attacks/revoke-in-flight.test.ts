import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { callScope, fakeClock } from "@glovebox/testkit";
import { expect, test } from "vitest";

import { PUBLIC_ADDRESS, codeOf, createLab, rejectionOf, send, valueOf } from "../lab.ts";
import { startRawServer } from "../raw-server.ts";

// I5: what is open does not outlive its grant.
const network = {
  allowHttpOutbound: true,
  allowedHosts: ["api.example.com"],
  allowInsecureHttp: true,
};
const get = { method: "GET", url: "http://api.example.com/", headers: [] };
const dns = { "*": [[PUBLIC_ADDRESS]] };

test("a body in flight breaks off with a code, its socket closes, and the moment is recorded", async () => {
  const closed = Promise.withResolvers<void>();
  await using server = await startRawServer((socket) => {
    socket.on("close", () => closed.resolve());
    socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nfirst");
  });
  await using lab = createLab({ policy: { network }, dns, port: server.port });
  const grant = lab.grant();
  await using exchange = valueOf(await lab.broker.http(grant).begin(callScope(), get));
  await exchange.finish();
  await exchange.readBody(100);
  const read = rejectionOf(exchange.readBody(100));
  expect(lab.broker.revoke(grant.id)).toBe(true);
  expect(await read).toBe("BROKER_REVOKED");
  await closed.promise;
  expect(lab.log.events.at(-1)?.event).toMatchObject({
    kind: "capability.revoke",
    details: { grantId: grant.id },
  });
  expect(lab.broker.revoke(grant.id)).toBe(false);
});

test("bytes that were received and not yet read are not handed out any more", async () => {
  await using server = await startRawServer((socket) =>
    socket.end("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 6\r\n\r\nsecret"),
  );
  await using lab = createLab({ policy: { network }, dns, port: server.port });
  const grant = lab.grant();
  await using exchange = valueOf(await lab.broker.http(grant).begin(callScope(), get));
  await exchange.finish();
  await exchange.readBody(1);
  lab.broker.revoke(grant.id);
  expect(await rejectionOf(exchange.readBody(100))).toBe("BROKER_REVOKED");
});

test("a kept connection carries no request of a revoked grant", async () => {
  await using server = await startRawServer((socket) =>
    socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"),
  );
  await using lab = createLab({ policy: { network }, dns, port: server.port });
  const grant = lab.grant();
  const port = lab.broker.http(grant);
  expect((await send(port, get.url)).code).toBe("allowed");
  // undici gives a connection one turn of the loop before it uses it again.
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  expect((await send(port, get.url)).code).toBe("allowed");
  expect(lab.dials).toHaveLength(1);
  lab.broker.revoke(grant.id);
  expect((await send(port, get.url)).code).toBe("BROKER_REVOKED");
  expect(codeOf(port.decide(get.url, "GET"))).toBe("BROKER_REVOKED");
  expect(server.received().match(/GET/g)).toHaveLength(2);
});

test.each(["BROKER_REVOKED", "BROKER_CANCELLED"] as const)(
  "a look-up in flight ends at once with %s, and its answer is dialled by nobody",
  async (code) => {
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<readonly string[]>();
    await using lab = createLab({
      policy: { network },
      deps: {
        clock: fakeClock(),
        resolve() {
          asked.resolve();
          return answer.promise;
        },
      },
    });
    const grant = lab.grant();
    const scope = callScope();
    const begun = send(lab.broker.http(grant), get.url, { scope });
    await asked.promise;
    if (code === "BROKER_REVOKED") lab.broker.revoke(grant.id);
    else scope.controller.abort();
    expect((await begun).code).toBe(code);
    answer.resolve([PUBLIC_ADDRESS]);
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(lab.dials).toEqual([]);
  },
);

test("a connection that is made after the revocation is closed unused", async () => {
  await using server = await startRawServer((socket) =>
    socket.end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
  );
  const dialled = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  const { connect } = await import("node:net");
  await using lab = createLab({
    policy: { network },
    dns,
    deps: {
      async dial(address) {
        dialled.resolve();
        await go.promise;
        const socket = connect(server.port, "127.0.0.1");
        await new Promise((resolve) => socket.once("connect", resolve));
        socket.once("close", () => closed.resolve());
        return { socket, remoteAddress: address };
      },
    },
  });
  const grant = lab.grant();
  await using exchange = valueOf(await lab.broker.http(grant).begin(callScope(), get));
  const head = rejectionOf(exchange.finish());
  await dialled.promise;
  lab.broker.revoke(grant.id);
  go.resolve();
  expect(await head).toBe("BROKER_REVOKED");
  await closed.promise;
  expect(server.received()).toBe("");
});

test("the end of the call breaks its exchanges off as well", async () => {
  await using server = await startRawServer((socket) =>
    socket.write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"),
  );
  await using lab = createLab({ policy: { network }, dns, port: server.port });
  const scope = callScope();
  await using exchange = valueOf(await lab.broker.http(lab.grant()).begin(scope, get));
  await exchange.finish();
  const read = rejectionOf(exchange.readBody(1));
  scope.controller.abort();
  expect(await read).toBe("BROKER_CANCELLED");
});

test.each(["BROKER_REVOKED", "BROKER_CANCELLED"] as const)(
  "what ends with %s while its secret is fetched is not begun",
  async (code) => {
    const secrets = [
      {
        name: "key",
        origin: "http://api.example.com",
        header: "x-key",
        template: "{{secret:key}}",
      },
    ];
    const scope = callScope();
    let end = (): void => undefined;
    await using lab = createLab({
      policy: { network: { ...network, secrets } },
      dns,
      deps: {
        async resolveSecret() {
          end();
          return "s3cr3t-value";
        },
      },
    });
    const grant = lab.grant();
    end = () =>
      code === "BROKER_REVOKED" ? lab.broker.revoke(grant.id) : scope.controller.abort();
    expect(codeOf(await lab.broker.http(grant).begin(scope, get))).toBe(code);
    expect(lab.dials).toEqual([]);
  },
);

test("an exchange that was given up during the look-up of its redirect goes nowhere", async () => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<readonly string[]>();
  let lookUps = 0;
  await using server = await startRawServer((socket) =>
    socket.end("HTTP/1.1 302 Found\r\nlocation: /b\r\ncontent-length: 0\r\n\r\n"),
  );
  await using lab = createLab({
    policy: { network },
    port: server.port,
    deps: {
      async resolve() {
        lookUps += 1;
        if (lookUps === 1) return [PUBLIC_ADDRESS];
        asked.resolve();
        return answer.promise;
      },
    },
  });
  const exchange = valueOf(await lab.broker.http(lab.grant()).begin(callScope(), get));
  const head = rejectionOf(exchange.finish());
  await asked.promise;
  await exchange[Symbol.asyncDispose]();
  expect(await head).toBe("BROKER_CANCELLED");
  answer.resolve([PUBLIC_ADDRESS]);
  const looked = () => lab.log.kinds.filter((kind) => kind === "network.address");
  await expect.poll(looked, { timeout: 10_000 }).toHaveLength(2);
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(lab.dials).toHaveLength(1);
});

test("an open file rejects, its descriptor is closed, and what it wrote before stays", async () => {
  const host = mkdtempSync(join(tmpdir(), "broker-revoke-"));
  writeFileSync(join(host, "a.txt"), "abc");
  try {
    await using lab = createLab({
      policy: {
        filesystem: { roots: [{ guest: "/data", host, allowRead: true, allowWrite: true }] },
      },
    });
    const grant = lab.grant();
    const files = lab.broker.files(grant);
    const handle = valueOf(
      await files.open(callScope(), "/data/a.txt", new Set(["read", "write"])),
    );
    await handle.writeAt(3, Buffer.from("d"));
    const before = readdirSync("/proc/self/fd").length;
    const waiting = rejectionOf(handle.readAt(0, 10));
    lab.broker.revoke(grant.id);
    expect(await waiting).toBe("BROKER_REVOKED");
    expect(await rejectionOf(handle.writeAt(0, Buffer.from("x")))).toBe("BROKER_REVOKED");
    expect(await files.stat(callScope(), "/data/a.txt")).toMatchObject({
      allowed: false,
      code: "BROKER_REVOKED",
    });
    await expect.poll(() => readdirSync("/proc/self/fd").length).toBeLessThan(before);
  } finally {
    rmSync(host, { recursive: true });
  }
});
