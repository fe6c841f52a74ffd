/** @module The commands that need no host: inspect, audit verify, keygen, sign. */
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

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
    await using directory = await pluginDirectory({});
    await using runtime = await PluginRuntime.open({ audit: { directory: directory.path } });
    await runtime.close();

    const whole = await run("audit", "verify", directory.path, "--json");
    expect(whole.exit).toBe(4);
    expect(whole.firstError).toMatch(/^HOST_AUDIT_UNANCHORED: /);
    const report = JSON.parse(whole.out) as { readonly head: string; readonly size: number };
    expect(report).toMatchObject({ ok: true, fresh: false, firstBadIndex: null, kind: null });

    const since = ["--since", report.head];
    const fresh = await run("audit", "verify", directory.path, ...since, "--json");
    expect(fresh).toMatchObject({ exit: 0, err: "" });
    expect(JSON.parse(fresh.out)).toMatchObject({ ok: true, fresh: true, size: report.size });

    const log = join(directory.path, "audit.jsonl");
    const text = await readFile(log, "utf8");
    await writeFile(log, text.slice(0, text.indexOf("\n") + 1));
    const cut = await run("audit", "verify", directory.path, ...since, "--json");
    expect([cut.exit, cut.firstError]).toEqual([1, "HOST_AUDIT_BROKEN: ROLLBACK at index 1"]);

    await writeFile(log, text.replace('"success":true', '"success":false'));
    const changed = await run("audit", "verify", directory.path);
    expect(changed.exit).toBe(1);
    expect(changed.firstError).toMatch(/^HOST_AUDIT_BROKEN: INVALID at index \d+$/);
  });

  test.each([
    ["a policy", ["--policy", "x"], 2, /^HOST_UNSUPPORTED: /],
    ["an anchor that is none", ["--since", "x"], 2, /^AUDITOR_HEAD: /],
    ["a directory that is not there", [], 1, /^AUDITOR_DIRECTORY: /],
  ])("%s is refused", async (_what, options, exit, line) => {
    const ended = await run("audit", "verify", "/nonexistent", ...options);
    expect([ended.exit, ended.firstError]).toEqual([exit, expect.stringMatching(line)]);
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
