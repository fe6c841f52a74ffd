/**
 * @module Modules from npm that bring a whole runtime (Go's), another (TinyGo's) or tight loops (hash
 * functions in C): they are read, reported on, written again byte for byte, metered, and then do
 * their work with right answers.
 */
import { createHash, pbkdf2Sync, scryptSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import type { Sha256 } from "@glovebox/core/ids";
import { readModule } from "@glovebox/wasm-binary";
import { writeModule } from "@glovebox/wasm-binary/write";
import { type MeteredModule, meterModule } from "@glovebox/wasm-metering";
import { inspectModule, type ModuleReport } from "@glovebox/wasm-validator";
import { createMD5, createSHA256, createSHA512, pbkdf2, scrypt } from "hash-wasm";
import { afterEach, expect, test } from "vitest";

const require = createRequire(import.meta.url);
type Source = ArrayBuffer | ArrayBufferView<ArrayBuffer>;
/** The part of the namespace that compiles in the background. */
interface Loader {
  compile: (this: void, source: Source) => Promise<WebAssembly.Module>;
  instantiate: (
    this: void,
    module: WebAssembly.Module,
    imports: WebAssembly.Imports,
  ) => Promise<WebAssembly.Instance>;
}
const loader = WebAssembly as unknown as Loader;
const { compile, instantiate } = loader;
const BUDGET = 2n ** 62n;

/** What the test uses of esbuild for browsers, which brings no types of its own here. */
interface Esbuild {
  initialize(options: { wasmModule: WebAssembly.Module; worker: boolean }): Promise<void>;
  transform(source: string, options: object): Promise<{ code: string }>;
}

afterEach(() => {
  Object.assign(loader, { compile, instantiate });
});

interface Prepared {
  readonly report: ModuleReport;
  readonly metered: MeteredModule;
}

/** Reads, reports, writes and meters. */
function prepared(bytes: Uint8Array): Prepared {
  const read = readModule(bytes);
  if (!read.allowed) throw new Error(read.reason);
  expect(Buffer.compare(writeModule(read.value), bytes)).toBe(0);
  const report = inspectModule(bytes);
  expect(report.defect).toBeUndefined();
  expect(report.facts).toBeDefined();
  const sha256 = createHash("sha256").update(bytes).digest("hex") as Sha256;
  const metered = meterModule(
    { bytes, sha256, verdict: {} },
    { maxMemoryPages: 65_536, maxTableElements: 100_000 },
  );
  if (!metered.allowed) throw new Error(metered.reason);
  expect(metered.value.fallbacks).toEqual([]);
  return { report, metered: metered.value };
}

type Fuel = Record<"value", bigint>;

/** Fills up an instance, and runs its start function. */
function fill({ exports }: WebAssembly.Instance, { fuelExport, startExport }: MeteredModule): Fuel {
  const fuel = exports[fuelExport] as unknown as Fuel;
  fuel.value = BUDGET;
  if (startExport !== undefined) (exports[startExport] as () => void)();
  return fuel;
}

/** From here on whatever a library instantiates is filled up, if it is one of these. */
function fillAll(modules: readonly Prepared[]): void {
  loader.instantiate = async (module, imports) => {
    const instance = await instantiate(module, imports);
    const found = modules.find(({ metered }) => metered.fuelExport in instance.exports);
    if (found !== undefined) fill(instance, found.metered);
    return instance;
  };
}

test("@wasm-fmt/gofmt formats Go", () => {
  const { report, metered } = prepared(readFileSync(require.resolve("@wasm-fmt/gofmt/wasm")));
  expect(report.imports).toEqual([]);
  expect(report.findings.map(({ rule }) => rule)).not.toContain("module/hash-like");
  const instance = new WebAssembly.Instance(new WebAssembly.Module(metered.bytes));
  const fuel = fill(instance, metered);
  const { memory, alloc, format, output_ptr, output_len, _initialize } =
    instance.exports as unknown as Record<string, (length?: number) => number> & {
      readonly memory: WebAssembly.Memory;
    };
  _initialize?.();
  const source = Buffer.from("package a\nfunc  f( x int)int{return x+ 1}\n");
  new Uint8Array(memory.buffer).set(source, alloc?.(source.length));
  expect(format?.()).toBe(1);
  const text = Buffer.from(memory.buffer, output_ptr?.(), output_len?.()).toString();
  expect(text).toBe("package a\n\nfunc f(x int) int { return x + 1 }\n");
  expect(fuel.value).toBeLessThan(BUDGET);
});

test("hash-wasm hashes, and the reports of its modules say so", async () => {
  const seen: Prepared[] = [];
  // The library holds its modules as text; what it compiles is the metered one.
  loader.compile = async (source) => {
    const bytes = ArrayBuffer.isView(source)
      ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
      : new Uint8Array(source);
    const ready = prepared(bytes);
    seen.push(ready);
    return compile(ready.metered.bytes);
  };
  fillAll(seen);
  const text = "abc".repeat(10_000);
  const digests = [await createMD5(), await createSHA256(), await createSHA512()];
  for (const [at, name] of ["md5", "sha256", "sha512"].entries()) {
    const expected = createHash(name).update(text).digest("hex");
    expect(digests[at]?.init().update(text).digest()).toBe(expected);
  }
  const options = { password: "password", salt: "salt", hashLength: 32 };
  expect(await pbkdf2({ ...options, iterations: 100, hashFunction: createSHA256() })).toBe(
    pbkdf2Sync("password", "salt", 100, 32, "sha256").toString("hex"),
  );
  expect(await scrypt({ ...options, costFactor: 1_024, blockSize: 8, parallelism: 1 })).toBe(
    scryptSync("password", "salt", 32, { N: 1_024, r: 8, p: 1 }).toString("hex"),
  );
  expect(seen.length).toBeGreaterThanOrEqual(4);
  for (const { report } of seen) {
    expect(report.findings.map(({ rule }) => rule)).toContain("module/hash-like");
  }
});

test("esbuild-wasm transforms TypeScript", { timeout: 120_000 }, async () => {
  const ready = prepared(readFileSync(require.resolve("esbuild-wasm/esbuild.wasm")));
  const { report, metered } = ready;
  expect(report.facts?.claims.producers[0]).toMatchObject({ field: "language", name: "Go" });
  fillAll([ready]);
  // It is made for browsers, and looks there for what is global.
  Object.defineProperty(globalThis, "self", { value: globalThis, configurable: true });
  const library = require("esbuild-wasm/lib/browser.js") as Esbuild;
  await library.initialize({ wasmModule: new WebAssembly.Module(metered.bytes), worker: false });
  const { code } = await library.transform("enum A { b }; let x: number = A.b", { loader: "ts" });
  expect(code).toContain('A2[A2["b"] = 0] = "b"');
});
