import { PassThrough } from "node:stream";

import { startHttpServer } from "@glovebox/testkit/servers";
import { expect, test } from "vitest";

import { PUBLIC_ADDRESS, createLab, send } from "../lab.ts";

// CWE-367, CWE-350: the name's answer changes between the check and the connection.
const network = {
  allowHttpOutbound: true,
  allowedHosts: ["*.trusted.com"],
  allowInsecureHttp: true,
};

test("dials only the address that was checked, and looks a name up once per request", async () => {
  await using server = await startHttpServer((_request, response) =>
    response.setHeader("connection", "close").end("hello"),
  );
  await using lab = createLab({
    policy: { network },
    dns: { "a.trusted.com": [[PUBLIC_ADDRESS], ["127.0.0.1"]] },
    port: server.port,
  });
  const port = lab.broker.http(lab.grant());
  expect((await send(port, "http://a.trusted.com/")).code).toBe("allowed");
  expect((await send(port, "http://a.trusted.com/")).code).toBe("BROKER_ADDRESS_DENIED");
  expect(lab.lookUps).toEqual(["a.trusted.com", "a.trusted.com"]);
  expect(lab.dials).toEqual([`${PUBLIC_ADDRESS}:80`]);
});

test.each([
  [["127.0.0.1", PUBLIC_ADDRESS]],
  [[PUBLIC_ADDRESS, "::1"]],
  [["1.1.1.1\0.evil"]],
  [["fe80::1%eth0"]],
  [[]],
  // More than any honest zone answers: the last one would be anybody's.
  [Array.from({ length: 65 }, (_, at) => `8.8.8.${at}`)],
])("dials nothing when the answer is %j", async (answer) => {
  await using lab = createLab({ policy: { network }, dns: { "a.trusted.com": [answer] } });
  // None and too many are refused as an answer, whatever the addresses are.
  const isCounted = answer.length === 0 || answer.length > 64;
  expect((await send(lab.broker.http(lab.grant()), "http://a.trusted.com/")).code).toBe(
    isCounted ? "BROKER_RESOLVE" : "BROKER_ADDRESS_DENIED",
  );
  expect(lab.dials).toEqual([]);
});

test("sends nothing when the connection ends at another address than was asked for", async () => {
  await using server = await startHttpServer((_request, response) => response.end("secret"));
  const { connect } = await import("node:net");
  await using lab = createLab({
    policy: { network },
    dns: { "*": [[PUBLIC_ADDRESS]] },
    deps: {
      async dial() {
        const socket = connect(server.port, "127.0.0.1");
        await new Promise((resolve) => socket.once("connect", resolve));
        return { socket, remoteAddress: socket.remoteAddress };
      },
    },
  });
  expect((await send(lab.broker.http(lab.grant()), "http://a.trusted.com/")).code).toBe(
    "BROKER_ADDRESS_DENIED",
  );
  expect(server.requests).toBe(0);
});

test.each([["127.0.0.1"], ["::808:808"], ["not an address"], [""], [undefined]])(
  "a connection that ends at %j ends everything: it is closed, and no other address is tried",
  async (remoteAddress) => {
    const asked: string[] = [];
    const socket = new PassThrough();
    await using lab = createLab({
      policy: { network },
      dns: { "*": [["8.8.8.8", PUBLIC_ADDRESS]] },
      deps: {
        async dial(address) {
          asked.push(address);
          return { socket, remoteAddress };
        },
      },
    });
    const sent = await send(lab.broker.http(lab.grant()), "http://a.trusted.com/");
    expect([sent.code, asked, socket.destroyed]).toEqual([
      "BROKER_ADDRESS_DENIED",
      ["8.8.8.8"],
      true,
    ]);
  },
);
