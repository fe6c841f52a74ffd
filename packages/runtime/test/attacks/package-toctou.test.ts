/**
 * @module package-toctou (CWE-367): files change while, or after, a package is checked. What runs has
 * to be what was verified.
 */
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Worker } from "node:worker_threads";

import { readPackage } from "@glovebox/runtime";
import { generateKeyPair, signPackage } from "@glovebox/signer";
import { assembleWat, buildPluginPackage, pluginDirectory } from "@glovebox/testkit";
import { expect, test } from "vitest";

import { flatPlugin, openRuntime } from "../open-runtime.ts";

const answering = (text: string): string =>
  flatPlugin(
    { run: `(i32.const 16) (i32.const ${text.length})` },
    `(data (i32.const 16) "${text}")`,
  );

test("runs what was loaded, although the files were replaced since, also after a release", async () => {
  await using host = await openRuntime({ resources: { defaultCpuLimitMs: 1_000 } });
  await using plugin = await buildPluginPackage({ id: "swap", wasm: answering("honest") });
  expect(await host.runtime.load(plugin.path)).toMatchObject({ ok: true });
  await writeFile(join(plugin.path, "plugin.wasm"), await assembleWat(answering("hostile")));
  // A tenant of its own gets a process that is made only now.
  expect(await host.call("swap", "run", "", { tenantId: "late" })).toBe("honest");
  await host.runtime.quarantine("swap", "test");
  await host.runtime.release("swap");
  expect(await host.call("swap", "run")).toBe("honest");
});

test("verifies and runs the same bytes, although the caller changes its own meanwhile", async () => {
  const { publicKey, privateKey } = generateKeyPair();
  await using plugin = await buildPluginPackage({ id: "swap", wasm: answering("honest") });
  const hostile = await assembleWat(answering("hosted"));
  // Buffers on purpose: their slice() is a view and no copy.
  const files = new Map([...plugin.files].map(([path, bytes]) => [path, Buffer.from(bytes)]));
  const signature = signPackage(files, { pluginId: "swap", version: "1.0.0", privateKey });
  files.set("plugin.sigstore.json", Buffer.from(signature));
  await using host = await openRuntime({
    validation: { requireSignatures: true },
    trust: { trustedKeys: [{ publicKey, identity: "test" }] },
  });
  const loading = host.runtime.load({ files });
  files.get("plugin.wasm")?.set(hostile);
  files.set("plugin.yaml", Buffer.from("plugin: {}"));
  expect(await loading).toMatchObject({ ok: true });
  expect(await host.call("swap", "run")).toBe("honest");
});

/** Swaps a directory for a link and back, as fast as it can, in a thread of its own. */
const SWAPPER = `
  const { renameSync, symlinkSync, unlinkSync } = require("node:fs");
  const { workerData: { data, aside, outside, stop } } = require("node:worker_threads");
  const flag = new Int32Array(stop);
  while (Atomics.load(flag, 0) === 0) {
    renameSync(data, aside);
    symlinkSync(outside, data);
    unlinkSync(data);
    renameSync(aside, data);
  }`;

test("never reads through a directory that is swapped for a link while it is read", async () => {
  await using outside = await pluginDirectory({ "name.txt": "secret" });
  await using plugin = await pluginDirectory({ "plugin.yaml": "x", "data/name.txt": "own" });
  await using elsewhere = await pluginDirectory({});
  const stop = new SharedArrayBuffer(4);
  const workerData = {
    data: join(plugin.path, "data"),
    aside: join(elsewhere.path, "aside"),
    outside: outside.path,
    stop,
  };
  const swapper = new Worker(SWAPPER, { eval: true, workerData });
  await once(swapper, "online");
  const seen = new Set<string>();
  for (let tries = 0; tries < 1_000; tries += 1) {
    const decision = await readPackage(plugin.path, { maxBytes: 1_000 });
    if (!decision.allowed) seen.add(decision.code);
    else seen.add(Buffer.from(decision.value.files.get("data/name.txt") ?? []).toString());
  }
  Atomics.store(new Int32Array(stop), 0, 1);
  await once(swapper, "exit");
  // The race was on: links and gaps were met, and what the link leads to was never read.
  expect(seen).toContain("RUNTIME_PACKAGE_ENTRY");
  expect(seen).not.toContain("secret");
});
