import { startHttpServer } from "@glovebox/testkit/servers";
import { expect, test } from "vitest";

import { PUBLIC_ADDRESS, createLab, send } from "../lab.ts";

// CWE-22, CWE-436: a path that looks as if it lay below the granted one, to us or to the server.
const network = {
  allowHttpOutbound: true,
  allowedHosts: ["api.example.com"],
  allowInsecureHttp: true,
  pathPrefixes: ["/v1", "/public/files"],
};

test.each([
  ["another path", "/v2"],
  ["the root", "/"],
  ["a longer name", "/v10"],
  ["a longer name with a query", "/v1x?/v1/"],
  ["the granted path only in the query", "/?/v1/"],
  ["half of a prefix", "/public"],
  ["dots that climb out", "/v1/../admin"],
  ["encoded dots that climb out", "/v1/%2e%2e/admin"],
  ["dots behind an encoded slash", "/v1/..%2fadmin"],
  ["dots behind an encoded backslash", "/v1/..%5Cadmin"],
  ["dots encoded twice", "/v1/%252e%252e/admin"],
  ["a parameter that some servers cut off", "/v1/..;/admin"],
  ["an encoded parameter", "/v1/..%3b/admin"],
  ["two slashes", "/v1//admin"],
  ["an encoded zero", "/v1/%00admin"],
  ["another case", "/V1/a"],
])("%s is not requested", async (_name, path) => {
  await using lab = createLab({ policy: { network }, dns: { "*": [[PUBLIC_ADDRESS]] } });
  const sent = await send(lab.broker.http(lab.grant()), `http://api.example.com${path}`);
  expect([sent.code, lab.lookUps]).toEqual(["BROKER_PATH_PREFIX", []]);
});

test.each(["/v1", "/v1?q=/../x;y", "/v1/", "/v1/a/b", "/public/files/x", "/v1/%41"])(
  "%s is requested",
  async (path) => {
    await using server = await startHttpServer((_request, response) => response.end("hello"));
    await using lab = createLab({
      policy: { network },
      dns: { "*": [[PUBLIC_ADDRESS]] },
      port: server.port,
    });
    const sent = await send(lab.broker.http(lab.grant()), `http://api.example.com${path}`);
    expect(sent.code).toBe("allowed");
  },
);

test("a redirect to another path is not followed", async () => {
  await using server = await startHttpServer((_request, response) =>
    response.writeHead(302, { location: "/admin", connection: "close" }).end(),
  );
  await using lab = createLab({
    policy: { network },
    dns: { "*": [[PUBLIC_ADDRESS]] },
    port: server.port,
  });
  const sent = await send(lab.broker.http(lab.grant()), "http://api.example.com/v1");
  expect([sent.code, server.requests]).toEqual(["BROKER_PATH_PREFIX", 1]);
});
