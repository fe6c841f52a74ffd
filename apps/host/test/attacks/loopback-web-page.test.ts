/**
 * @module Attack: a web page in the operator's browser posts to the loopback port, or lets its own
 * name resolve to 127.0.0.1. What must not happen: a call, or an answer that the page can read.
 */
import { expect, test } from "vitest";

import { fakeHost } from "../http/fake-runtime.ts";

const CALL = { input: 1 };

test.each([
  ["a name that was rebound to 127.0.0.1", { host: "evil.example:8787" }],
  ["a name that only begins like loopback", { host: "127.0.0.1.evil.example" }],
  ["a name that only ends like loopback", { host: "evil.localhost" }],
  ["user information before a loopback name", { host: "evil.example@127.0.0.1" }],
  ["a host with something after the port", { host: "localhost:8787.evil.example" }],
  ["a loopback address in another notation", { host: "2130706433" }],
  ["the address that means every interface", { host: "0.0.0.0:8787" }],
  ["two hosts in one", { host: "127.0.0.1, evil.example" }],
  ["an absolute name", { host: "localhost.:8787" }],
])("a request for %s is misdirected", async (_what, headers) => {
  const host = fakeHost();
  const response = await host.post(CALL, headers);
  expect([response.status, await response.json()]).toMatchObject([421, { code: "HOST_NAME" }]);
  const read = await host.request("/plugins", { headers });
  expect(read.status).toBe(421);
  expect(host.calls).toEqual([]);
});

test.each([
  ["another site", { origin: "https://evil.example" }],
  ["a sandboxed frame", { origin: "null" }],
  ["another program on this machine", { origin: "http://127.0.0.1:3000" }],
  ["the host's name under https", { origin: "https://127.0.0.1:8787" }],
  ["the host's other loopback name", { origin: "http://localhost:8787" }],
  ["a page that hides its origin", { "sec-fetch-site": "cross-site" }],
  ["a page of the same site", { "sec-fetch-site": "same-site" }],
])("a call from %s is refused", async (_what, headers) => {
  const host = fakeHost();
  const response = await host.post(CALL, headers);
  expect([response.status, await response.json()]).toMatchObject([403, { code: "HOST_ORIGIN" }]);
  expect(response.headers.get("access-control-allow-origin")).toBeNull();
  expect(host.calls).toEqual([]);
});

test.each([
  "text/plain",
  "text/plain; application/json",
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=application/json",
  "application/json, text/plain",
  "text/plain;charset=application/json",
  "application/json; charset=utf-16",
  "",
])("a request that a page may send unasked (%s) is no call", async (type) => {
  const host = fakeHost();
  const response = await host.post(CALL, { "content-type": type });
  expect([response.status, await response.json()]).toMatchObject([
    415,
    { code: "HOST_CONTENT_TYPE" },
  ]);
  expect(host.calls).toEqual([]);
});

test("a page's question whether it may call gets no permission", async () => {
  const response = await fakeHost().request("/plugins/echo/functions/run", {
    method: "OPTIONS",
    headers: { origin: "https://evil.example", "access-control-request-method": "POST" },
  });
  expect(response.status).toBe(403);
  expect([...response.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual(
    [],
  );
});

test.each([
  { host: "127.0.0.1:8787" },
  { host: "127.1.2.3" },
  { host: "localhost:8787", origin: "http://localhost:8787", "sec-fetch-site": "same-origin" },
  { host: "LOCALHOST:8787", origin: "http://localhost:8787" },
  { host: "[::1]:8787" },
  { host: "plugins.example:8787" },
])("the host's own page and programs may call: %o", async (headers) => {
  const host = fakeHost(undefined, { names: ["Plugins.Example"] });
  expect((await host.post(CALL, headers)).status).toBe(200);
  expect(host.calls).toHaveLength(1);
});

test("a link from another site may open the page", async () => {
  const headers = { "sec-fetch-site": "cross-site" };
  expect((await fakeHost().request("/", { headers })).status).toBe(200);
});
