/** What a WASI plugin is to its callers: the programs themselves are in test/wasi. */
import type { HostServices } from "@glovebox/core/ports";
import { assembleWat, memoryHostServices } from "@glovebox/testkit";
import { memoryFiles } from "@glovebox/testkit/files";
import { describe, expect, it } from "vitest";

import { WASI_PREVIEW_1 } from "../src/protocol/abi-requirements.ts";
import { codeOf, type OpenOptions, openPlugin, textOf } from "./support/open-plugin.ts";

const IMPORTS = `
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (global $calls (mut i32) (i32.const 48))
  (func $say (param $fd i32) (param $at i32) (param $length i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $length))
    (drop (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func $count
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i32.store8 (i32.const 16) (global.get $calls))
    (call $say (i32.const 1) (i32.const 16) (i32.const 1)))`;

/** A module with what the tests need of WASI; further imports come first, as the format wants it. */
const moduleOf = (functions: string, imports = ""): string =>
  `(module ${imports} ${IMPORTS} ${functions})`;

const wasi = (functions: string, options: OpenOptions = {}) =>
  openPlugin(moduleOf(functions), { abi: "wasi", ...options });

describe("a command", () => {
  it("runs in a fresh instance each time, though the plugin asked for one", async () => {
    await using open = await wasi(`(func (export "_start") (call $count))`, {
      spec: { instance: "runner" },
    });
    expect(open.plugin.functions).toEqual(["_start"]);
    expect(textOf(await open.call("_start"))).toBe("1");
    expect(textOf(await open.call("_start"))).toBe("1");
  });

  it("succeeds when it exits with 0, wherever that is", async () => {
    await using open = await wasi(`(func (export "_start")
      (call $count) (call $proc_exit (i32.const 0)) (unreachable))`);
    expect(textOf(await open.call("_start"))).toBe("1");
  });

  it("fails with the code that it exits with, and the next call is none the worse", async () => {
    await using open = await wasi(`(func (export "_start") (call $proc_exit (i32.const 33)))`);
    for (let turn = 0; turn < 2; turn++) {
      expect(await open.call("_start")).toMatchObject({
        ok: false,
        error: {
          code: "SANDBOX_PLUGIN_ERROR",
          publicMessage: "the plugin exited with code 33",
          details: { exitCode: 33 },
        },
      });
    }
  });

  it("can do nothing any more once it has exited, even if it catches that", async () => {
    const source = moduleOf(`(func (export "_start")
      (try (do (call $proc_exit (i32.const 0))) (catch_all (call $count))))`);
    const bytes = await assembleWat(source, { exceptions: true });
    await using open = await openPlugin(bytes, { abi: "wasi" });
    expect(textOf(await open.call("_start"))).toBe("");
  });
});

describe("a reactor", () => {
  const REACTOR = `
    (func (export "_initialize") (call $count))
    (func (export "count") (call $count))
    (func (export "fail") (result i32) (call $count) (i32.const 5))
    (func (export "exit") (call $proc_exit (i32.const 3)))
    (func (export "trap") (unreachable))
    (func (export "takes") (param i32))`;

  it("is initialised once, and goes on from call to call", async () => {
    await using open = await wasi(REACTOR);
    expect(open.plugin.functions).toEqual(["count", "fail", "exit", "trap"]);
    expect(textOf(await open.call("count"))).toBe("2");
    expect(textOf(await open.call("count"))).toBe("3");
  });

  it("fails with another result than 0, and goes on", async () => {
    await using open = await wasi(REACTOR);
    const outcome = await open.call("fail");
    expect(codeOf(outcome)).toBe("SANDBOX_PLUGIN_ERROR");
    expect(textOf(await open.call("count"))).toBe("3");
  });

  it.each(["exit", "trap"])("gets a fresh instance after %s", async (name) => {
    await using open = await wasi(REACTOR);
    await open.call("count");
    expect((await open.call(name)).ok).toBe(false);
    expect(textOf(await open.call("count"))).toBe("2");
  });

  it.each(["_initialize", "takes", "memory", "absent"])("cannot be called at %s", async (name) => {
    await using open = await wasi(REACTOR);
    expect(codeOf(await open.call(name))).toBe("SANDBOX_EXPORT_MISSING");
  });
});

describe("standard error", () => {
  it("becomes a log entry for each line, also of a call that traps", async () => {
    const logged: string[] = [];
    const services = memoryHostServices({
      log: (_scope, level, message) => void logged.push(`${level}: ${message}`),
    });
    await using open = await wasi(
      `(data (i32.const 32) "one\\ntwo\\n\\nthe rest")
       (func (export "_start") (call $say (i32.const 2) (i32.const 32) (i32.const 17)) unreachable)`,
      { services },
    );
    expect(codeOf(await open.call("_start"))).toBe("SANDBOX_TRAP");
    expect(logged).toEqual(["info: one", "info: two", "info: the rest"]);
  });

  it("is kept for 256 lines of 4 KiB, so that a flood costs no more", async () => {
    const logged: string[] = [];
    const services = memoryHostServices({ log: (_scope, _level, text) => void logged.push(text) });
    await using open = await wasi(
      `(func (export "_start") (local $turn i32)
        (memory.fill (i32.const 32) (i32.const 120) (i32.const 5000))
        (i32.store8 (i32.const 5032) (i32.const 10))
        (loop $again
          (call $say (i32.const 2) (i32.const 32) (i32.const 5001))
          (br_if $again (i32.lt_s (local.tee $turn (i32.add (local.get $turn) (i32.const 1))) (i32.const 1000)))))`,
      { services },
    );
    expect((await open.call("_start")).ok).toBe(true);
    expect(logged.length).toBe(256);
    expect(new Set(logged.map(({ length }) => length))).toEqual(new Set([4_096]));
  });
});

it("offers every function of preview 1 with the type that it has there", async () => {
  const types: Record<string, string> = { proc_exit: "(param i32)", sched_yield: "(result i32)" };
  const imports = WASI_PREVIEW_1.map(
    (name) => `(import "wasi_snapshot_preview1" "${name}" (func ${types[name] ?? ""}))`,
  );
  await using open = await openPlugin(`(module ${imports.join("\n")} (func (export "run")))`, {
    abi: "wasi",
  });
  expect((await open.call("run")).ok).toBe(true);
});

it("refuses a function that WASI does not have", async () => {
  const source = `(module (import "wasi_snapshot_preview1" "fd_dup" (func)) (func (export "_start")))`;
  await expect(openPlugin(source, { abi: "wasi" })).rejects.toMatchObject({ code: "SANDBOX_ABI" });
});

it("says what is missing to a module that does not export its memory", async () => {
  await using open = await openPlugin(
    `(module (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
      (memory 1) (func (export "_start") (drop (call $random (i32.const 0) (i32.const 8)))))`,
    { abi: "wasi" },
  );
  const outcome = await open.call("_start");
  expect(codeOf(outcome)).toBe("SANDBOX_ABI");
});

it("rounds clocks down to a millisecond, or to what the host says", async () => {
  const source = `(module
    (import "wasi_snapshot_preview1" "clock_time_get" (func $now (param i32 i64 i32) (result i32)))
    (import "wasi_snapshot_preview1" "clock_res_get" (func $resolution (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "_start")
      (drop (call $resolution (i32.const 1) (i32.const 16)))
      (drop (call $now (i32.const 1) (i64.const 0) (i32.const 24)))
      (i32.store (i32.const 0) (i32.const 16))
      (i32.store (i32.const 4) (i32.const 16))
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))`;
  for (const [spec, resolution] of [
    [{}, 1_000_000n],
    [{ clockResolutionNs: 5_000_000 }, 5_000_000n],
  ] as const) {
    await using open = await openPlugin(source, { abi: "wasi", spec });
    const outcome = await open.call("_start");
    if (!outcome.ok) throw new Error(outcome.error.message);
    const [told, now] = new BigUint64Array(outcome.output.slice().buffer);
    expect(told).toBe(resolution);
    expect((now ?? 1n) % resolution).toBe(0n);
  }
});

describe("WASI for an Extism plugin", () => {
  it("logs what is written to standard output, and reads granted files", async () => {
    const logged: string[] = [];
    const services: HostServices = {
      ...memoryHostServices({ log: (_scope, _level, text) => void logged.push(text) }),
      files: memoryFiles({ files: { "/data/a.txt": "from the file" }, folders: ["/data"] }),
    };
    await using open = await openPlugin(
      moduleOf(
        `(data (i32.const 64) "a.txt")
        (func (export "run") (result i32)
          (if (call $open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 5) (i32.const 0)
                (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 80))
            (then (return (i32.const 1))))
          (i32.store (i32.const 0) (i32.const 128))
          (i32.store (i32.const 4) (i32.const 100))
          (if (call $fd_read (i32.load (i32.const 80)) (i32.const 0) (i32.const 1) (i32.const 8))
            (then (return (i32.const 2))))
          (call $say (i32.const 1) (i32.const 128) (i32.load (i32.const 8)))
          (i32.const 0))`,
        `(import "wasi_snapshot_preview1" "path_open"
          (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))`,
      ),
      { abi: "extism", services },
    );
    expect(textOf(await open.call("run"))).toBe("");
    expect(logged).toEqual(["from the file"]);
  });
});

describe("modules that import from each other", () => {
  const EVEN = `(module
    (import "odd" "is_odd" (func $is_odd (param i32) (result i32)))
    (func (export "is_even") (param $n i32) (result i32)
      (if (result i32) (i32.eqz (local.get $n))
        (then (i32.const 1))
        (else (call $is_odd (i32.sub (local.get $n) (i32.const 1)))))))`;
  const ODD = moduleOf(
    `(func (export "is_odd") (param $n i32) (result i32)
      (if (result i32) (i32.eqz (local.get $n))
        (then (i32.const 0))
        (else (call $is_even (i32.sub (local.get $n) (i32.const 1))))))
    (func (export "seven") (if (call $is_even (i32.const 7)) (then unreachable)) (call $count))`,
    `(import "even" "is_even" (func $is_even (param i32) (result i32)))`,
  );
  const modules = async (first: string, last: string) => [
    { name: "even", bytes: await assembleWat(first) },
    { name: "odd", bytes: await assembleWat(last) },
  ];

  it("find the functions of one that comes later when they call them", async () => {
    await using open = await openPlugin(ODD, {
      abi: "wasi",
      spec: { modules: await modules(EVEN, ODD) },
    });
    expect(textOf(await open.call("seven"))).toBe("1");
  });

  it("are refused where one needs more than functions of a later one", async () => {
    const needy = `(module (import "odd" "memory" (memory 1)) (func (export "is_even") (param i32) (result i32) (i32.const 0)))`;
    const spec = { modules: await modules(needy, ODD) };
    await expect(openPlugin(ODD, { abi: "wasi", spec })).rejects.toMatchObject({
      code: "SANDBOX_ABI",
    });
  });

  it("are refused where a start function calls one that is not started", async () => {
    const hasty = `(module
      (import "odd" "is_odd" (func $is_odd (param i32) (result i32)))
      (func (export "is_even") (param i32) (result i32) (i32.const 0))
      (func $start (drop (call $is_odd (i32.const 1)))) (start $start))`;
    const spec = { modules: await modules(hasty, ODD) };
    await expect(openPlugin(ODD, { abi: "wasi", spec })).rejects.toMatchObject({
      code: "SANDBOX_ABI",
    });
  });

  it("cannot take the host's name", async () => {
    const bytes = await assembleWat(
      `(module (func (export "fd_write") (result i32) (i32.const 0)))`,
    );
    const main = await assembleWat(`(module (func (export "run")))`);
    const spec = {
      modules: [
        { name: "wasi_snapshot_preview1", bytes },
        { name: "main", bytes: main },
      ],
    };
    await expect(openPlugin(main, { abi: "wasi", spec })).rejects.toMatchObject({
      code: "SANDBOX_ABI",
    });
  });
});
