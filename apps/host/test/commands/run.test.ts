/** @module `glovebox run` and the rules of every command: output, first line of an error, exit code. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import {
  assembleWat,
  buildPluginPackage,
  pluginDirectory,
  type PluginDirectory,
} from "@glovebox/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { run, start } from "./command.ts";

const FLAT = `(module
  (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "echo") (param i32 i32) (result i32 i32) (local.get 0) (local.get 1))
  (func (export "trap") (param i32 i32) (result i32 i32) unreachable)
  (func (export "spin") (param i32 i32) (result i32 i32) (loop $again (br $again)) unreachable))`;
const EXTISM = `(module
  (import "extism:host/env" "config_get" (func $get (param i64) (result i64)))
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store (param i64 i32)))
  (import "extism:host/env" "output_set" (func $output (param i64 i64)))
  (func (export "setting") (result i32) (local $at i64)
    (local.set $at (call $alloc (i64.const 1)))
    (call $store (local.get $at) (i32.const 107))
    (local.set $at (call $get (local.get $at)))
    (call $output (local.get $at) (call $length (local.get $at)))
    (i32.const 0)))`;

let files: PluginDirectory;
const at = (name: string): string => join(files.path, name);

beforeAll(async () => {
  files = await pluginDirectory({
    "flat.wasm": await assembleWat(FLAT),
    "extism.wasm": await assembleWat(EXTISM),
    "command.wasm": await assembleWat(`(module (func (export "_start")))`),
    "broken.wasm": new Uint8Array(64),
    "input.txt": "from a file",
  });
});

afterAll(() => files[Symbol.asyncDispose]());

test("the output's bytes go to standard output, and nothing else", async () => {
  const ended = await run("run", at("flat.wasm"), "echo", "--input", '{"a": 1}');
  expect(ended).toMatchObject({ exit: 0, out: '{"a": 1}', err: "" });
});

test("input comes from a file, from standard input, or is empty", async () => {
  const fromFile = run("run", at("flat.wasm"), "echo", "--input", `@${at("input.txt")}`);
  expect(await fromFile).toMatchObject({ exit: 0, out: "from a file" });
  const fromStdin = start(["run", at("flat.wasm"), "echo", "--input", "-"], "piped").ended;
  expect(await fromStdin).toMatchObject({ exit: 0, out: "piped" });
  expect(await run("run", at("flat.wasm"), "echo")).toMatchObject({ exit: 0, out: "" });
});

test("a bare module's ABI is found, and configuration reaches it", async () => {
  const ended = await run("run", at("extism.wasm"), "setting", "--config", "k=value");
  expect(ended).toMatchObject({ exit: 0, out: "value", err: "" });
});

test("a package runs under its own manifest", async () => {
  await using plugin = await buildPluginPackage({ id: "mine", wasm: FLAT });
  const ended = await run("run", plugin.path, "echo", "--input", "x");
  expect(ended).toMatchObject({ exit: 0, out: "x" });
  const wrong = await run("run", plugin.path, "echo", "--abi", "flat");
  expect([wrong.exit, wrong.firstError]).toEqual([2, expect.stringMatching(/^HOST_USAGE: /)]);
});

describe("a failure is one coded line without a stack", () => {
  test.each([
    ["a trap", ["flat.wasm", "trap"], 1, "SANDBOX_TRAP"],
    ["a missing function", ["flat.wasm", "none"], 1, "SANDBOX_EXPORT_MISSING"],
    ["a file that is no module", ["broken.wasm", "x"], 1, "WASM_MAGIC"],
    ["a file that is not there", ["none.wasm", "x"], 1, "HOST_FILE"],
    ["another ABI than the module's", ["flat.wasm", "echo", "--abi", "extism"], 1, /^[A-Z_]+/],
    ["a deadline", ["flat.wasm", "spin", "--timeout", "100"], 3, /SANDBOX_(CPU|WALL)_LIMIT/],
    ["an option out of range", ["flat.wasm", "echo", "--memory", "x"], 2, "HOST_USAGE"],
    ["less memory than a page", ["flat.wasm", "echo", "--memory", "64"], 2, "HOST_USAGE"],
    ["a host that is a URL", ["flat.wasm", "echo", "--allow-host", "http://x"], 2, "BROKER_POLICY"],
    ["a folder that is not there", ["flat.wasm", "x", "--allow-read", "/no:/d"], 1, "HOST_FILE"],
    ["a folder that is a file", ["flat.wasm", "x", "--allow-read", "/dev/null:/d"], 1, "HOST_FILE"],
    ["an unknown option", ["flat.wasm", "echo", "--fast"], 2, "HOST_USAGE"],
    ["a missing argument", ["flat.wasm"], 2, "HOST_USAGE"],
    [
      "a call that needs more instructions than it may use",
      ["flat.wasm", "echo", "--instructions", "1"],
      3,
      "SANDBOX_INSTRUCTION_LIMIT",
    ],
  ])("%s", async (_what, [file = "", ...args], exit, code) => {
    const ended = await run("run", at(file), ...args);
    expect(ended.exit).toBe(exit);
    expect(ended.out).toBe("");
    expect(ended.firstError).toMatch(/^[A-Z0-9_]+: ./);
    expect(ended.firstError.split(":")[0]).toMatch(code);
    expect(ended.err).not.toMatch(/^\s+at /m);
  });

  test("what a file's name says cannot drive the terminal", async () => {
    const ended = await run("run", at("\u001b[2Jx.wasm"), "echo");
    expect(ended.exit).toBe(1);
    expect(ended.err).not.toContain("\u001b");
  });
});

test("no command is wrong usage; --help and its answer are not", async () => {
  expect((await run()).exit).toBe(2);
  expect((await run("nothing")).exit).toBe(2);
  const help = await run("run", "--help");
  expect([help.exit, help.err]).toEqual([0, ""]);
  expect(help.out).toContain("--allow-write");
  const version = await run("--version");
  expect([version.exit, version.err]).toEqual([0, ""]);
  expect(version.out).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test("a module that grows beyond its memory fails", async () => {
  const GROW = `(module
    (memory (export "memory") 1)
    (func (export "alloc") (param i32) (result i32) (i32.const 1024))
    (func (export "grow") (param i32 i32) (result i32 i32)
      (if (i32.eq (memory.grow (i32.const 1100)) (i32.const -1)) (then unreachable))
      (local.get 0) (local.get 1)))`;
  await writeFile(at("grow.wasm"), await assembleWat(GROW));
  expect((await run("run", at("grow.wasm"), "grow", "--input", "y")).out).toBe("");
  const ended = await run("run", at("grow.wasm"), "grow", "--memory", "80MiB", "--input", "y");
  expect(ended).toMatchObject({ exit: 0, out: "y" });
});
