/** @module The options of `run` become a policy that allows what they say and nothing else. */
import { resolve } from "node:path";

import { describe, expect, test } from "vitest";

import { manifestFor, parseRunOptions } from "../../src/commands/run-options.ts";
import "@glovebox/testkit/matchers";

test("without options nothing is allowed", () => {
  expect(parseRunOptions({})).toEqual({ resources: {}, policy: {}, config: {} });
});

test("each option has its place", () => {
  const options = parseRunOptions({
    memory: "2MiB",
    timeout: "250",
    config: ["a=b=c", "d="],
    allowHost: ["*.example.com"],
    allowRead: ["in:/data", "both:/both"],
    allowWrite: ["both:/both"],
  });
  const root = { guest: "/both", host: resolve("both"), allowRead: true, allowWrite: true };
  expect(options).toEqual({
    resources: {
      defaultMemoryLimitBytes: 2_097_152,
      defaultWallLimitMs: 250,
      defaultCpuLimitMs: 250,
    },
    policy: {
      network: { allowHttpOutbound: true, allowedHosts: ["*.example.com"] },
      filesystem: {
        roots: [{ guest: "/data", host: resolve("in"), allowRead: true, allowWrite: false }, root],
      },
    },
    config: { a: "b=c", d: "" },
  });
  expect(JSON.parse(manifestFor("extism", options))).toMatchObject({
    plugin: { abi: "extism", wasm: "module.wasm" },
    capabilities: {
      network: { allow_http_outbound: true, allowed_hosts: ["*.example.com"] },
      filesystem: { allow_read: true, allow_write: true, allowed_paths: ["/data", "/both"] },
      resources: { max_memory_bytes: 2_097_152 },
    },
  });
});

describe("wrong options", () => {
  test.each([
    { memory: "0" },
    { memory: "1GB" },
    { memory: "-1" },
    { memory: "5000MiB" },
    { timeout: "0" },
    { timeout: "1s" },
    { config: ["a"] },
    { config: ["=a"] },
    { allowRead: ["in"] },
    { allowRead: [":/data"] },
    { allowWrite: ["in:data"] },
    { allowRead: ["a:/x", "b:/x"] },
  ])("%o are wrong usage", (options) => {
    expect(() => parseRunOptions(options)).toThrowCode("HOST_USAGE");
  });

  test("instructions are a whole number", () => {
    const { resources } = parseRunOptions({ instructions: "1000000000" });
    expect(resources.defaultInstructionLimit).toBe(1_000_000_000);
    for (const instructions of ["0", "-1", "1.5", "1e9", "99999999999999999"]) {
      expect(() => parseRunOptions({ instructions })).toThrowCode("HOST_USAGE");
    }
  });
});
