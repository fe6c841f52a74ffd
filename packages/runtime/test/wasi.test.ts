/** A WASI plugin through the whole runtime: its files are the grant's, and each use is in the log. */
import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import { openRuntime, type TestRuntime } from "./open-runtime.ts";

/** Opens the file that the input names in the first granted folder, and answers its first bytes or the error. */
const READER = `(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environ (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func $range (param $at i32) (param $length i32) (result i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $length))
    (i32.const 0))
  (func $say (param $at i32) (param $length i32)
    (drop (call $write (i32.const 1) (call $range (local.get $at) (local.get $length)) (i32.const 1) (i32.const 8))))
  (func (export "_start") (local $error i32)
    (drop (call $read (i32.const 0) (call $range (i32.const 64) (i32.const 100)) (i32.const 1) (i32.const 8)))
    (local.set $error (call $open (i32.const 3) (i32.const 0) (i32.const 64) (i32.load (i32.const 8))
      (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 16)))
    (if (local.get $error) (then
      (i32.store8 (i32.const 20) (i32.add (i32.const 48) (i32.div_u (local.get $error) (i32.const 10))))
      (i32.store8 (i32.const 21) (i32.add (i32.const 48) (i32.rem_u (local.get $error) (i32.const 10))))
      (call $say (i32.const 20) (i32.const 2))
      (return)))
    (drop (call $read (i32.load (i32.const 16)) (call $range (i32.const 256) (i32.const 100)) (i32.const 1) (i32.const 8)))
    (call $say (i32.const 256) (i32.load (i32.const 8)))
    (drop (call $environ (i32.const 512) (i32.const 600)))
    (call $say (i32.const 600) (i32.const 8))))`;

let folder = "";
let open: TestRuntime;
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "glovebox-files-")));
  await writeFile(join(folder, "a.txt"), "granted ");
  open = await openRuntime({
    policy: {
      filesystem: {
        roots: [{ guest: "/data", host: folder, allowRead: true, allowWrite: false }],
      },
    },
    pluginConfig: { reader: { NAME: "abc" } },
  });
  await open.load({
    id: "reader",
    abi: "wasi",
    wasm: READER,
    capabilities: { filesystem: { allow_read: true, allowed_paths: ["/data"] } },
  });
});
afterAll(async () => {
  await open[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

it("reads a granted file, and its configuration as environment", async () => {
  const input = Buffer.from("a.txt");
  const outcome = await open.runtime.executePluginFunction("reader", "_start", {}, input);
  if (!outcome.ok) throw new Error(outcome.error.message);
  expect(Buffer.from(outcome.output).toString()).toBe("granted NAME=abc");
  expect(outcome.usage.fileOperations).toBeGreaterThan(0);
});

it.each([
  ["absent.txt", "44"], // NOENT
  ["../../etc/passwd", "76"], // NOTCAPABLE
  ["/etc/passwd", "76"],
])("answers an error for %s", async (name, errno) => {
  expect(await open.call("reader", "_start", name)).toBe(errno);
});

it("has no folder without a grant", async () => {
  await open.load({ id: "poor", abi: "wasi", wasm: READER });
  expect(await open.call("poor", "_start", "a.txt")).toBe("08"); // BADF
});

it("leaves an event in the log for each file that it opened", async () => {
  const opened = (await open.events()).filter(({ details }) => details?.["step"] === "file.open");
  expect(
    opened.map(({ pluginId, success, details }) => [pluginId, success, details?.["path"]]),
  ).toEqual([
    ["reader", true, "/data/a.txt"],
    ["reader", true, "/data/absent.txt"],
    ["reader", false, "/data/absent.txt"],
  ]);
});
