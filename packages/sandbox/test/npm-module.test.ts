/** WebAssembly that nobody here wrote, from npm, runs behind an adapter of a few lines. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import { assembleWat } from "@glovebox/testkit";
import { expect, it } from "vitest";

import { codeOf, openPlugin, textOf } from "./support/open-plugin.ts";

/** The flat ABI over dprint's plugin ABI version 4: text passes through its shared bytes. */
const ADAPTER = `(module
  (import "dprint" "memory" (memory 1))
  (import "dprint" "clear_shared_bytes" (func $clear (param i32) (result i32)))
  (import "dprint" "get_shared_bytes_ptr" (func $shared (result i32)))
  (import "dprint" "register_config" (func $register_config (param i32)))
  (import "dprint" "set_file_path" (func $set_file_path))
  (import "dprint" "format" (func $format (param i32) (result i32)))
  (import "dprint" "get_formatted_text" (func $formatted (result i32)))
  (import "dprint" "get_error_text" (func $error (result i32)))
  (export "memory" (memory 0))
  (data $config "{\\"global\\":{},\\"plugin\\":{}}")
  (data $path "/file.json")
  (func (export "alloc") (param $length i32) (result i32)
    (memory.init $config (call $clear (i32.const 25)) (i32.const 0) (i32.const 25))
    (call $register_config (i32.const 1))
    (memory.init $path (call $clear (i32.const 10)) (i32.const 0) (i32.const 10))
    (call $set_file_path)
    (call $clear (local.get $length)))
  (func (export "format") (param $at i32) (param $length i32) (result i32 i32)
    (local $result i32)
    (local.set $result (call $format (i32.const 1)))
    (if (i32.eq (local.get $result) (i32.const 1)) (then (local.set $length (call $formatted))))
    (if (i32.eq (local.get $result) (i32.const 2)) (then (local.set $length (call $error))))
    (call $shared)
    (local.get $length)))`;

it("formats JSON with @dprint/json, linked by name", async () => {
  const dprint = createRequire(import.meta.url).resolve("@dprint/json/plugin.wasm");
  const bytes = await readFile(dprint);
  const adapter = await assembleWat(ADAPTER);
  await using open = await openPlugin(adapter, {
    spec: {
      modules: [
        { name: "dprint", bytes },
        { name: "main", bytes: adapter },
      ],
    },
  });
  expect(textOf(await open.call("format", '{"b":1,\n"a":[1,2]}'))).toBe(
    '{ "b": 1, "a": [1, 2] }\n',
  );
  expect(textOf(await open.call("format", "{"))).toContain("Unterminated object");
  expect(codeOf(await open.call("absent"))).toBe("SANDBOX_EXPORT_MISSING");
});
