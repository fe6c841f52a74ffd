import { expect, test } from "vitest";

import { PUBLIC_ADDRESS, createLab, send } from "../lab.ts";
import { startRawServer } from "../raw-server.ts";

// CWE-444, CWE-113: what frames or routes a request belongs to the broker.
const network = {
  allowHttpOutbound: true,
  allowedHosts: ["api.example.com"],
  allowInsecureHttp: true,
};
const OK = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok";

/** Besides those below: what proxies, frameworks and clouds believe of a request. */
const RESERVED =
  "http2-settings via forwarded x-real-ip x-client-ip true-client-ip x-http-method X-Method-Override x-original-url x-rewrite-url metadata x-google-metadata-request sec-fetch-site x-aws-ec2-metadata-token x-aws-ec2-metadata-token-ttl-seconds".split(
    " ",
  );

test.each<readonly [string, string]>([
  ["Host", "evil.com"],
  [":authority", "evil.com"],
  ["content-length", "999"],
  ["Transfer-Encoding", "chunked"],
  ["connection", "x-secret"],
  ["keep-alive", "1"],
  ["te", "trailers"],
  ["trailer", "x"],
  ["upgrade", "websocket"],
  ["expect", "100-continue"],
  ["proxy-authorization", "Basic x"],
  ["x-forwarded-for", "127.0.0.1"],
  ["metadata-flavor", "Google"],
  ["x-http-method-override", "DELETE"],
  ...RESERVED.map((name): readonly [string, string] => [name, "x"]),
  ["x-a", "b\r\nHost: evil.com"],
  ["x-a", "b\0c"],
  ["x-a\r\nHost", "evil.com"],
  ["x a", "b"],
  ["", "b"],
  ["x-a", "☃"],
])("the header %j: %j is refused before a name is looked up", async (name, value) => {
  await using lab = createLab({ policy: { network }, dns: { "*": [[PUBLIC_ADDRESS]] } });
  const sent = await send(lab.broker.http(lab.grant()), "http://api.example.com/", {
    headers: [[name, value]],
  });
  expect(sent.code).toBe("BROKER_HEADER");
  expect(lab.lookUps).toEqual([]);
});

test("more headers and longer ones than any server takes are refused", async () => {
  await using lab = createLab({ policy: { network }, dns: { "*": [[PUBLIC_ADDRESS]] } });
  const port = lab.broker.http(lab.grant());
  const many = (count: number, length: number): (readonly [string, string])[] =>
    Array.from({ length: count }, (_, at) => [`x-${at}`, "y".repeat(length)]);
  for (const [headers, code] of [
    [many(100, 1), "BROKER_CONNECT"],
    [many(101, 1), "BROKER_HEADER"],
    [many(2, 8_000), "BROKER_CONNECT"],
    [many(2, 8_192), "BROKER_HEADER"],
    [many(1, 16_384), "BROKER_HEADER"],
  ] as const)
    expect((await send(port, "http://api.example.com/", { headers })).code).toBe(code);
});

test.each([
  "GET / HTTP/1.1\r\nHost: evil.com\r\n\r\nGET",
  "G ET",
  "",
  "TRACE",
  "CONNECT",
  "DELETE",
])("the method %j is refused", async (method) => {
  await using lab = createLab({ policy: { network }, dns: { "*": [[PUBLIC_ADDRESS]] } });
  expect(
    (await send(lab.broker.http(lab.grant()), "http://api.example.com/", { method })).code,
  ).toBe("BROKER_METHOD");
});

test("what reaches the server is one request with the broker's own framing", async () => {
  await using server = await startRawServer((socket) => socket.end(OK));
  await using lab = createLab({
    policy: { network },
    dns: { "*": [[PUBLIC_ADDRESS]] },
    port: server.port,
  });
  const sent = await send(lab.broker.http(lab.grant()), "http://api.example.com/a?b#c", {
    method: "post",
    headers: [
      ["X-Kind", "é"],
      ["Accept-Encoding", "br"],
    ],
    body: Buffer.from("GET /smuggled HTTP/1.1\r\n\r\n"),
  });
  expect(sent.code).toBe("allowed");
  const [head = ""] = server.received().split("\r\n\r\n", 1);
  expect(head.split("\r\n")).toEqual([
    "POST /a?b HTTP/1.1",
    "host: api.example.com",
    "connection: keep-alive",
    "accept-encoding: gzip, br, zstd",
    "x-kind: é",
    "content-length: 26",
  ]);
});

test("a body on GET is refused and nothing is sent", async () => {
  await using lab = createLab({ policy: { network }, dns: { "*": [[PUBLIC_ADDRESS]] } });
  const sent = await send(lab.broker.http(lab.grant()), "http://api.example.com/", {
    body: Buffer.from("x"),
  });
  expect(sent.code).toBe("BROKER_EXCHANGE_STATE");
  expect(lab.dials).toEqual([]);
});
