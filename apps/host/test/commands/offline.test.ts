/** @module The commands that need no host: inspect, audit verify, keygen, sign. */
import { readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { openAuditor } from "@glovebox/auditor";
import { PluginRuntime } from "@glovebox/runtime";
import { assembleWat, buildPluginPackage, pluginDirectory } from "@glovebox/testkit";
import { describe, expect, test } from "vitest";

import { run } from "./command.ts";

const FLAT = `(module
  (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 0))
  (func (export "echo") (param i32 i32) (result i32 i32) (local.get 0) (local.get 1)))`;

describe("inspect", () => {
  test("tells sections, imports, exports and digest of a module", async () => {
    await using files = await pluginDirectory({ "m.wasm": await assembleWat(FLAT) });
    const path = join(files.path, "m.wasm");
    const ended = await run("inspect", path, "--json");
    expect(ended).toMatchObject({ exit: 0, err: "" });
    expect(JSON.parse(ended.out)).toMatchObject({
      kind: "module",
      modules: [
        {
          path: "m.wasm",
          abi: "flat",
          magicOk: true,
          version: 1,
          sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
          exports: expect.arrayContaining([
            { name: "echo", kind: "function", type: expect.stringMatching(/^\(func/) },
          ]),
          capabilities: [],
          facts: { memories: [{ minimum: 1 }] },
          findings: [{ rule: "module/memory-without-maximum", level: "note" }],
        },
      ],
      problems: [],
    });
    expect((await run("inspect", path)).out).toContain("exports function echo");
  });

  test("says in plain words what a plugin asks for", async () => {
    const network = { allow_http_outbound: true, allowed_hosts: ["*.example.com"] };
    const filesystem = { allow_read: true, allow_write: true, allowed_paths: ["/data"] };
    await using plugin = await buildPluginPackage({
      id: "mine",
      wasm: FLAT,
      capabilities: { network: { ...network, secrets: ["stripe"] }, filesystem },
    });
    const { exit, out } = await run("inspect", plugin.path);
    expect(exit).toBe(0);
    expect(out.split("\n").filter((line) => line.startsWith("asks"))).toEqual([
      "asks: send HTTP requests",
      "asks: reach *.example.com",
      "asks: have the secret stripe inserted",
      "asks: read from /data",
      "asks: write to /data",
    ]);
    await using modest = await buildPluginPackage({ id: "modest", wasm: FLAT });
    expect((await run("inspect", modest.path)).out).toContain("\nasks for nothing\n");
  });

  test("lists every problem of a manifest with line and column", async () => {
    const manifest =
      "plugin:\n  id: Not An Id\n  version: 1\n  types: [template]\n  abi: flat\n  wasm: x.wasm\n";
    await using plugin = await buildPluginPackage({ wasm: FLAT, manifest });
    const ended = await run("inspect", plugin.path, "--json");
    expect(ended.exit).toBe(1);
    expect(ended.firstError).toMatch(/^MANIFEST_[A-Z]+: /);
    const { problems } = JSON.parse(ended.out) as { readonly problems: readonly unknown[] };
    expect(problems.length).toBeGreaterThan(1);
    expect(problems[0]).toMatchObject({ code: "MANIFEST_ID", line: 2, column: 7, level: "error" });
  });

  test("tells a scanner the same as SARIF", async () => {
    await using plugin = await buildPluginPackage({ wasm: FLAT, manifest: "plugin: {id: A}" });
    const ended = await run("inspect", plugin.path, "--sarif");
    expect(ended.exit).toBe(1);
    const log = JSON.parse(ended.out) as {
      readonly version: string;
      readonly runs: readonly { readonly results: readonly unknown[] }[];
    };
    expect(log.version).toBe("2.1.0");
    expect(log.runs[0]?.results).toContainEqual(
      expect.objectContaining({
        ruleId: "MANIFEST_ID",
        level: "error",
        locations: [
          {
            physicalLocation: {
              artifactLocation: { uri: "plugin.yaml" },
              region: { startLine: 1, startColumn: 14 },
            },
          },
        ],
      }),
    );
  });

  test("tells where a module is broken", async () => {
    await using files = await pluginDirectory({
      "m.wasm": Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 99),
    });
    const ended = await run("inspect", join(files.path, "m.wasm"), "--json");
    expect(ended.exit).toBe(1);
    expect(JSON.parse(ended.out)).toMatchObject({
      problems: [{ code: "WASM_SECTION", byteOffset: expect.any(Number) }],
    });
    const text = await run("inspect", join(files.path, "m.wasm"));
    expect(text.out.match(/at byte/g)).toHaveLength(1);
  });
});

describe("audit verify", () => {
  test("tells a whole log, a fresh one and a changed one apart", async () => {
    await using files = await pluginDirectory({});
    const directory = join(files.path, "audit");
    await using runtime = await PluginRuntime.open({ audit: { directory } });
    await runtime.close();
    const anchor = `${directory}.checkpoints`;

    const whole = await run("audit", "verify", directory, "--json");
    expect(whole.exit).toBe(4);
    expect(whole.firstError).toMatch(
      /^HOST_AUDIT_UNANCHORED: whole and consistent; freshness not checked\. Pass .* --since\.$/,
    );
    const { size, ...report } = JSON.parse(whole.out) as { readonly size: number };
    expect(report).toEqual({ ok: true, fresh: false, firstBadIndex: null, kind: null });

    const since = ["--since", anchor];
    const fresh = await run("audit", "verify", directory, ...since, "--json");
    expect(fresh).toMatchObject({ exit: 0, err: "" });
    expect(JSON.parse(fresh.out)).toEqual({
      ok: true,
      fresh: true,
      size,
      firstBadIndex: null,
      kind: null,
    });

    const policy = join(files.path, "policy");
    const one = join(directory, "security");
    const vkey = (await readFile(join(one, "keys/000"), "utf8")).trim();
    await writeFile(policy, `log ${vkey}\nquorum none\n`);
    expect(
      await run("audit", "verify", one, "--since", join(anchor, "security"), "--policy", policy),
    ).toMatchObject({
      exit: 0,
    });

    const tiles = join(directory, "security/tile/entries/000.p");
    const widths = (await readdir(tiles)).map(Number);
    const bundle = join(tiles, String(Math.max(...widths)));
    const bytes = await readFile(bundle, "latin1");
    await writeFile(bundle, bytes.replace('"success":true', '"success":TRUE'), "latin1");
    const changed = await run("audit", "verify", directory, ...since, "--json");
    expect([changed.exit, changed.firstError]).toEqual([
      1,
      expect.stringMatching(/^HOST_AUDIT_BROKEN: INVALID at index 0: /),
    ]);
    expect(JSON.parse(changed.out)).toEqual({
      ok: false,
      fresh: false,
      size,
      firstBadIndex: 0,
      kind: "INVALID",
    });
  });

  test("takes a directory of several logs, and names the worst", async () => {
    await using files = await pluginDirectory({});
    const directory = join(files.path, "audit");
    await (await openAuditor({ directory })).close();
    const since = ["--since", `${directory}.checkpoints`];
    const whole = await run("audit", "verify", directory, ...since, "--json");
    expect([whole.exit, JSON.parse(whole.out)]).toEqual([
      0,
      { ok: true, fresh: true, size: 6, firstBadIndex: null, kind: null },
    ]);
    await rm(join(directory, "operations", "checkpoint"));
    const text = await run("audit", "verify", directory, ...since);
    expect([text.exit, text.firstError]).toEqual([
      1,
      "HOST_AUDIT_BROKEN: MISSING at index 0: the log has no checkpoint",
    ]);
    expect(text.out).toMatch(/^activity:\nok: true\n[^]*^operations:\nok: false\n/m);
  });

  test.each([
    ["a policy that is none", ["--policy", "/dev/null"], 1, /^HOST_FILE: /],
    ["an anchor that is not there", ["--since", "/nonexistent"], 1, /^HOST_FILE: /],
    ["a directory that is not there", [], 1, /^AUDITOR_DIRECTORY: /],
  ])("%s is refused", async (_what, options, exit, line) => {
    const ended = await run("audit", "verify", "/nonexistent", ...options);
    expect([ended.exit, ended.firstError]).toEqual([exit, expect.stringMatching(line)]);
  });

  test("an anchor that is no checkpoint is wrong usage", async () => {
    await using files = await pluginDirectory({ anchor: "41:abc" });
    const since = ["--since", join(files.path, "anchor")];
    const ended = await run("audit", "verify", files.path, ...since);
    expect([ended.exit, ended.firstError]).toEqual([2, expect.stringMatching(/^AUDITOR_ANCHOR: /)]);
  });
});

describe("keygen and sign", () => {
  test("make a package that a host which requires signatures loads", async () => {
    await using files = await pluginDirectory({});
    await using plugin = await buildPluginPackage({ id: "signed", wasm: FLAT });
    const key = join(files.path, "key.pem");
    expect(await run("keygen", "--out", key)).toMatchObject({ exit: 0, err: "" });
    expect((await stat(key)).mode & 0o777).toBe(0o600);
    for (let again = 0; again < 2; again += 1) {
      expect(await run("sign", plugin.path, "--key", key)).toMatchObject({ exit: 0, err: "" });
    }
    await using log = await pluginDirectory({});
    const publicKey = await readFile(`${key}.pub`, "utf8");
    await using runtime = await PluginRuntime.open({
      audit: { directory: log.path },
      trust: { trustedKeys: [{ publicKey, identity: "me" }] },
    });
    expect(await runtime.load(plugin.path)).toMatchObject({
      ok: true,
      plugin: { publisher: "me" },
    });
  });

  test("never write over a key", async () => {
    await using files = await pluginDirectory({ "key.pem": "mine" });
    const ended = await run("keygen", "--out", join(files.path, "key.pem"));
    expect([ended.exit, ended.firstError]).toEqual([
      1,
      expect.stringMatching(/^HOST_FILE: .*EEXIST/),
    ]);
    expect(await readFile(join(files.path, "key.pem"), "utf8")).toBe("mine");
  });
});
