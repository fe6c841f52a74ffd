import { parseManifest } from "@glovebox/manifest-validator";
import { describe, expect, it } from "vitest";

import { codesOf, PLUGIN, withPlugin } from "./manifest-text.ts";

describe("parseManifest", () => {
  it("reads text and bytes alike", () => {
    expect(parseManifest(new TextEncoder().encode(PLUGIN))).toEqual(parseManifest(PLUGIN));
  });

  it("answers a deeply frozen manifest", () => {
    const result = parseManifest(
      `${PLUGIN}capabilities: { network: { allowed_hosts: [a.example] } }\nfunctions: { f: { input: { enum: [[1]] } } }`,
    );
    if (!result.ok) throw new Error(result.problems[0]?.message);
    const pending: unknown[] = [result.manifest];
    for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
      if (typeof value !== "object" || value === null) continue;
      expect(Object.isFrozen(value)).toBe(true);
      pending.push(...Object.values(value));
    }
  });

  it("finds nothing in functions and dependencies by the names of Object's own members", () => {
    const result = parseManifest(PLUGIN);
    if (!result.ok) throw new Error(result.problems[0]?.message);
    expect(result.manifest.functions["constructor"]).toBeUndefined();
    expect(result.manifest.dependencies["__proto__"]).toBeUndefined();
  });

  it("takes file rights one by one, and only such that there are", () => {
    const asking = (rights: string): string =>
      `${PLUGIN}capabilities: { filesystem: { allowed_paths: [/data], rights: ${rights} } }\n`;
    const result = parseManifest(asking("[read, link, setTimes]"));
    if (!result.ok) throw new Error(result.problems[0]?.message);
    const { filesystem } = result.manifest.capabilities;
    expect(filesystem?.rights).toEqual(["read", "link", "setTimes"]);
    expect(codesOf(asking("[read, chmod]"))).toEqual(["MANIFEST_VALUE"]);
    expect(codesOf(asking("read"))).toEqual(["MANIFEST_TYPE"]);
  });

  it("accepts unknown keys with a warning outside strict mode, and nothing else", () => {
    const loose = parseManifest(`${PLUGIN}hooks: {}\n`, { strict: false });
    expect(loose).toMatchObject({
      ok: true,
      warnings: [{ code: "MANIFEST_UNKNOWN_KEY", path: "/hooks", line: 2, column: 1 }],
    });
    expect(
      parseManifest(`${withPlugin({ abi: "x" })}hooks: {}\n`, { strict: false }),
    ).toMatchObject({
      ok: false,
      problems: [{ code: "MANIFEST_VALUE" }],
      warnings: [{ code: "MANIFEST_UNKNOWN_KEY" }],
    });
  });

  it("names what it expected, what it received and what to do", () => {
    const result = parseManifest(withPlugin({ abi: "component" }));
    expect(result).toMatchObject({
      ok: false,
      problems: [
        {
          code: "MANIFEST_VALUE",
          path: "/plugin/abi",
          line: 1,
          expected: "one of flat, extism, wasi",
          received: '"component"',
          advice: expect.stringContaining("expected"),
        },
      ],
    });
  });

  it.each(["1.0.0", "0.0.0", "10.20.30"])("accepts the version %s", (version) => {
    expect(codesOf(withPlugin({ version }))).toEqual([]);
  });

  it.each([
    "1.0",
    "1.0.0-beta",
    "1.0.0+1",
    "v1.0.0",
    "01.0.0",
    " 1.0.0",
    "1.0.0\n",
    "9007199254740992.0.0",
  ])("refuses the version %j", (version) => {
    expect(codesOf(withPlugin({ version }))).toEqual(["MANIFEST_VERSION"]);
  });

  it.each(["", "A", "a_b", "a".repeat(65), "a\n", "é"])("refuses the id %j", (id) => {
    expect(codesOf(withPlugin({ id }))).toEqual(["MANIFEST_ID"]);
  });

  it("takes a quoted number as an id and refuses a bare one", () => {
    expect(codesOf(withPlugin({ id: "123" }))).toEqual([]);
    expect(codesOf(withPlugin({ id: 123 }))).toEqual(["MANIFEST_TYPE"]);
  });

  it.each([
    "*.example.com",
    "localhost",
    "a.b",
    "xn--bcher-kva.example",
    "_dmarc.example.com",
    "10.0.0.1",
  ])("accepts the shape of the host pattern %s", (host) => {
    const rest = `capabilities: { network: { allowed_hosts: [${JSON.stringify(host)}] } }`;
    expect(codesOf(PLUGIN + rest)).toEqual([]);
  });

  it.each([
    "",
    "*",
    "*.",
    "*.*.com",
    "a.*.com",
    "*example.com",
    "example.com.",
    ".example.com",
    "a..b",
    "-a.com",
    "a.com:443",
    "a.com/x",
    "u@a.com",
    "bücher.example",
    "[::1]",
    `${"a".repeat(64)}.com`,
    "a.".repeat(127),
    "a.com\u0000",
  ])("refuses the host pattern %j", (host) => {
    const rest = `capabilities: { network: { allowed_hosts: [${JSON.stringify(host)}] } }`;
    expect(codesOf(PLUGIN + rest)).toEqual(["MANIFEST_HOST"]);
  });

  it("takes every bound that a plugin may put on its own requests", () => {
    const pin = `${"A".repeat(43)}=`;
    const network = {
      allow_http_outbound: true,
      allowed_hosts: ["a.example"],
      ports: [443, 8443],
      methods: ["GET", "QUERY"],
      path_prefixes: ["/", "/v1/rates"],
      spki_pins: [pin],
      secrets: ["stripe.live"],
      limits: { max_concurrent: 2, total_timeout_ms: 1000, max_redirects: 0 },
    };
    const result = parseManifest(`${PLUGIN}capabilities: ${JSON.stringify({ network })}`);
    expect(result.ok && result.manifest.capabilities.network).toEqual({
      allowHttpOutbound: true,
      allowedHosts: ["a.example"],
      ports: [443, 8443],
      methods: ["GET", "QUERY"],
      pathPrefixes: ["/", "/v1/rates"],
      spkiPins: [pin],
      secrets: ["stripe.live"],
      limits: { maxConcurrent: 2, totalTimeoutMs: 1000, maxRedirects: 0 },
    });
  });

  it.each([
    [{ ports: [0] }, "MANIFEST_LIMIT"],
    [{ ports: [65_536] }, "MANIFEST_LIMIT"],
    [{ ports: ["443"] }, "MANIFEST_TYPE"],
    [{ methods: ["get"] }, "MANIFEST_VALUE"],
    [{ methods: ["CONNECT"] }, "MANIFEST_VALUE"],
    [{ methods: Array.from({ length: 65 }, () => "GET") }, "MANIFEST_SIZE"],
    [{ path_prefixes: ["/v1/"] }, "MANIFEST_PATH"],
    [{ path_prefixes: ["/v1/../admin"] }, "MANIFEST_PATH"],
    [{ path_prefixes: ["/v1%2fadmin"] }, "MANIFEST_PATH"],
    [{ spki_pins: [] }, "MANIFEST_VALUE"],
    [{ spki_pins: ["abc="] }, "MANIFEST_VALUE"],
    [{ secrets: ["{{secret:a}}"] }, "MANIFEST_VALUE"],
    [{ limits: { max_redirects: -1 } }, "MANIFEST_LIMIT"],
    [{ limits: { max_ratio: 1.5 } }, "MANIFEST_LIMIT"],
    [{ limits: { max_redirect: 1 } }, "MANIFEST_UNKNOWN_KEY"],
    [{ limits: [1] }, "MANIFEST_TYPE"],
  ])("refuses the bounds %j", (network, code) => {
    const text = `${PLUGIN}capabilities: ${JSON.stringify({ network })}`;
    expect(codesOf(text)).toEqual([code]);
  });

  it.each(["/", "/data", "/data/in put", "/дані"])("accepts the guest path %s", (path) => {
    const rest = `capabilities: { filesystem: { allowed_paths: [${JSON.stringify(path)}] } }`;
    expect(codesOf(PLUGIN + rest)).toEqual([]);
  });

  it.each([
    "",
    "data",
    "//data",
    "/data/",
    "/./a",
    "/a/..",
    "/a\\b",
    "/a\u0000",
    "/a\u202eb",
    "/e\u0301",
  ])("refuses the guest path %j", (path) => {
    const rest = `capabilities: { filesystem: { allowed_paths: [${JSON.stringify(path)}] } }`;
    expect(codesOf(PLUGIN + rest)).toEqual(["MANIFEST_PATH"]);
  });

  it.each([
    "",
    "/a.wasm",
    "../a.wasm",
    "a/../b.wasm",
    "./a.wasm",
    "a//b.wasm",
    "a/",
    "a\\b",
    "C:a.wasm",
    "a\n",
  ])("refuses the module path %j", (wasm) => {
    expect(codesOf(withPlugin({ wasm }))).toEqual(["MANIFEST_PATH"]);
  });

  it("keeps the order of linked modules, the main one last", () => {
    const modules = [
      { name: "codec", path: "lib/codec.wasm" },
      { name: "main", path: "a.wasm" },
    ];
    const { wasm: _, ...plugin } = {
      id: "echo",
      version: "0.1.0",
      types: ["auth"],
      abi: "flat",
      wasm: "",
    };
    const result = parseManifest(JSON.stringify({ plugin: { ...plugin, modules } }));
    expect(result).toMatchObject({ ok: true, manifest: { modules } });
  });

  it.each(["^1.0.0", ">=1.2.0 <2.0.0", "1.x || 2.x", "*", "~1.2"])(
    "accepts the range %s",
    (range) => {
      expect(codesOf(`${PLUGIN}dependencies: { other: ${JSON.stringify(range)} }`)).toEqual([]);
    },
  );

  it.each(["", " ", "latest", "git+ssh://x", `^1.0.0${" ".repeat(200)}`])(
    "refuses the range %j",
    (range) => {
      const text = `${PLUGIN}dependencies: { other: ${JSON.stringify(range)} }`;
      expect(codesOf(text)).toEqual(["MANIFEST_RANGE"]);
    },
  );

  it("reads YAML 1.2: yes is text, and an octal-looking number is decimal", () => {
    const rest =
      "capabilities: { filesystem: { allow_read: yes }, resources: { max_cpu_time_ms: 010 } }";
    const result = parseManifest(PLUGIN + rest);
    expect(result).toMatchObject({ ok: false, problems: [{ received: '"yes"' }] });
    const fixed = parseManifest(PLUGIN + rest.replace("yes", "true"));
    expect(fixed).toMatchObject({
      ok: true,
      manifest: { capabilities: { resources: { maxCpuTimeMs: 10 } } },
    });
  });

  it.each([".inf", "1e400", ".nan"])("refuses the number %s, which is not finite", (number) => {
    const text = `${PLUGIN}capabilities: { resources: { max_instructions: ${number} } }`;
    expect(codesOf(text)).toContain("MANIFEST_TYPE");
  });

  it("lists at most a hundred problems and says that there are more", () => {
    const hosts = JSON.stringify(Array.from({ length: 200 }, () => "*"));
    const codes = codesOf(`${PLUGIN}capabilities: { network: { allowed_hosts: ${hosts} } }`);
    expect(codes).toHaveLength(101);
    expect(codes.at(-1)).toBe("MANIFEST_TOO_MANY_PROBLEMS");
  });

  it("refuses more entries than a list may have", () => {
    const hosts = JSON.stringify(Array.from({ length: 257 }, () => "a.example"));
    expect(codesOf(`${PLUGIN}capabilities: { network: { allowed_hosts: ${hosts} } }`)).toEqual([
      "MANIFEST_SIZE",
    ]);
    const functions = JSON.stringify(
      Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`f${i}`, {}])),
    );
    expect(codesOf(`${PLUGIN}functions: ${functions}`)).toEqual(["MANIFEST_SIZE"]);
    const others = JSON.stringify(
      Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`p${i}`, "*"])),
    );
    expect(codesOf(`${PLUGIN}dependencies: ${others}`)).toEqual(["MANIFEST_SIZE"]);
    expect(codesOf(withPlugin({ wasm: undefined, modules: [] }))).toEqual(["MANIFEST_MODULES"]);
    expect(codesOf(withPlugin({ types: [] }))).toEqual(["MANIFEST_VALUE"]);
  });
});
