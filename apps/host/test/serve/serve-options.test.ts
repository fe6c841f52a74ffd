/** @module What the options of `serve` mean, and that none of them is loose by default. */
import { resolve } from "node:path";

import { expect, test } from "vitest";

import { parseServeOptions } from "../../src/serve/serve-options.ts";
import "@glovebox/testkit/matchers";

test("by default the host listens on loopback and names its one loosening", () => {
  expect(parseServeOptions({}, {})).toMatchObject({
    port: 8787,
    address: "127.0.0.1",
    names: [],
    dataDirectory: resolve("glovebox-data"),
    policy: undefined,
    loosened: ["host.approvals"],
    isExample: true,
  });
});

test("packages of one's own have to be signed unless it is said otherwise", () => {
  const plugin = ["./mine"];
  expect(parseServeOptions({ plugin }, {}).requireSignatures).toBe(true);
  expect(parseServeOptions({ plugin, allowUnsigned: true }, {}).requireSignatures).toBe(false);
  expect(parseServeOptions({ trust: ["k.pub"] }, {}).requireSignatures).toBe(true);
});

test("the port is the option, then PORT, then 8787", () => {
  expect(parseServeOptions({ port: "1" }, { PORT: "2" }).port).toBe(1);
  expect(parseServeOptions({}, { PORT: "2" }).port).toBe(2);
});

test("another address and another name are named loosenings", () => {
  const open = parseServeOptions({ host: "0.0.0.0", allowName: ["a.example"] }, {});
  expect(open.loosened).toEqual(["host.approvals", "host.address", "host.names"]);
  expect(open.names).toEqual(["a.example"]);
  expect(parseServeOptions({ host: "192.0.2.1" }, {}).names).toEqual(["192.0.2.1"]);
  expect(parseServeOptions({ host: "::1", plugin: ["mine"] }, {}).loosened).toEqual([]);
});

test.each([
  { port: "x" },
  { port: "65536" },
  { port: "-1" },
  { allowName: ["a b"] },
  { allowName: ["a.example:80"] },
  { logLevel: "loud" },
])("%o is wrong usage", (options) => {
  expect(() => parseServeOptions(options, {})).toThrowCode("HOST_USAGE");
});
