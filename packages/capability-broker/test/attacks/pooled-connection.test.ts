import { once } from "node:events";
import { type Socket, connect } from "node:net";

import { callScope } from "@glovebox/testkit";
import { expect, test } from "vitest";

import { PUBLIC_ADDRESS, createLab, send, valueOf } from "../lab.ts";
import { startRawServer } from "../raw-server.ts";

// CWE-488, CWE-350: a connection that is kept serves nothing that it was not opened for.
const network = {
  allowHttpOutbound: true,
  allowedHosts: ["*.trusted.com"],
  allowInsecureHttp: true,
};
const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const OTHER = "8.8.8.8";

/** undici gives a connection one turn of the loop before it uses it again. */
const turn = (): Promise<void> =>
  new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

test("a kept connection whose peer is no longer in the answer is not used again", async () => {
  await using server = await startRawServer((socket) => socket.write(OK));
  await using lab = createLab({
    policy: { network },
    dns: { "*": [[PUBLIC_ADDRESS], [OTHER, PUBLIC_ADDRESS], [OTHER]] },
    port: server.port,
  });
  const port = lab.broker.http(lab.grant());
  for (let at = 0; at < 3; at += 1) {
    expect((await send(port, "http://a.trusted.com/")).code).toBe("allowed");
    await turn();
  }
  expect(lab.dials).toEqual([`${PUBLIC_ADDRESS}:80`, `${OTHER}:80`]);
});

test("a kept connection serves no other host and no other port", async () => {
  await using server = await startRawServer((socket) => socket.write(OK));
  await using lab = createLab({
    policy: { network: { ...network, ports: [80, 8080] } },
    dns: { "*": [[PUBLIC_ADDRESS]] },
    port: server.port,
  });
  const port = lab.broker.http(lab.grant());
  for (const host of ["a.trusted.com", "b.trusted.com", "a.trusted.com:8080"]) {
    expect((await send(port, `http://${host}/`)).code).toBe("allowed");
    await turn();
  }
  expect(lab.dials).toHaveLength(3);
});

test("a connection whose answer was not read to its end is not used again", async () => {
  await using server = await startRawServer((socket, nth) =>
    socket.write(nth === 1 ? "HTTP/1.1 200 OK\r\ncontent-length: 60\r\n\r\nhalf" : OK),
  );
  await using lab = createLab({
    policy: { network },
    dns: { "*": [[PUBLIC_ADDRESS]] },
    port: server.port,
  });
  const port = lab.broker.http(lab.grant());
  const request = { method: "GET", url: "http://a.trusted.com/", headers: [] };
  {
    await using exchange = valueOf(await port.begin(callScope(), request));
    await exchange.finish();
  }
  await turn();
  expect((await send(port, request.url)).body).toBe("ok");
  expect(lab.dials).toHaveLength(2);
  await expect.poll(() => server.open(), { timeout: 10_000 }).toBe(1);
});

test("no more connections are kept than exchanges may run, and none of a revoked grant", async () => {
  await using server = await startRawServer((socket) => socket.write(OK));
  const sockets: Socket[] = [];
  await using lab = createLab({
    policy: { network: { ...network, limits: { maxConcurrent: 2 } } },
    dns: { "*": [[PUBLIC_ADDRESS]] },
    deps: {
      async dial(address) {
        const socket = connect(server.port, "127.0.0.1");
        await once(socket, "connect");
        sockets.push(socket);
        return { socket, remoteAddress: address };
      },
    },
  });
  const open = (): number => sockets.filter(({ destroyed }) => !destroyed).length;
  const grant = lab.grant();
  for (const name of ["a", "b", "c", "d"])
    expect((await send(lab.broker.http(grant), `http://${name}.trusted.com/`)).code).toBe(
      "allowed",
    );
  await expect.poll(open, { timeout: 10_000 }).toBe(2);
  lab.broker.revoke(grant.id);
  // At once, and not when nobody has used them for a while.
  for (let turns = 0; turns < 5; turns += 1) await turn();
  expect(open()).toBe(0);
});

test("a head beyond the grant's own bound ends the response", async () => {
  const filler = `x-filler: ${"x".repeat(2_000)}\r\n`;
  await using server = await startRawServer((socket) =>
    socket.write(`HTTP/1.1 200 OK\r\n${filler}content-length: 2\r\n\r\nok`),
  );
  for (const [maxHeadBytes, code] of [
    [1_024, "BROKER_RESPONSE_HEAD"],
    [4_096, "allowed"],
  ] as const) {
    await using lab = createLab({
      policy: { network: { ...network, limits: { maxHeadBytes } } },
      dns: { "*": [[PUBLIC_ADDRESS]] },
      port: server.port,
    });
    expect((await send(lab.broker.http(lab.grant()), "http://a.trusted.com/")).code).toBe(code);
  }
});
