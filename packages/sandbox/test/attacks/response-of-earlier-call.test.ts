/**
 * A plugin asks for the status and headers of the last HTTP answer without having asked for one, in a
 * runner whose earlier call did, perhaps for another tenant (`shareRunners`). They belong to that call.
 */
import { allow } from "@glovebox/core/decision";
import type { HttpExchange } from "@glovebox/core/ports";
import { memoryHostServices } from "@glovebox/testkit";
import { expect, it } from "vitest";

import { openPlugin, textOf } from "../support/open-plugin.ts";

const REQUEST = '{"url":"https://example.com/"}';

it("is not told in the next call", async () => {
  const exchange: HttpExchange = {
    writeBody: async () => undefined,
    finish: async () => ({ status: 201, headers: [["Set-Cookie", "secret"]] }),
    readBody: async () => null,
    [Symbol.asyncDispose]: async () => undefined,
  };
  const services = memoryHostServices({ http: { begin: async () => allow("test", exchange) } });
  const bytes = Array.from(Buffer.from(REQUEST), (byte, at) => {
    const place = `(i64.add (local.get $block) (i64.const ${at}))`;
    return `(call $store ${place} (i32.const ${byte}))`;
  });
  const source = `(module
    (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
    (import "extism:host/env" "store_u8" (func $store (param i64 i32)))
    (import "extism:host/env" "length" (func $length (param i64) (result i64)))
    (import "extism:host/env" "output_set" (func $output (param i64 i64)))
    (import "extism:host/env" "http_request" (func $request (param i64 i64) (result i64)))
    (import "extism:host/env" "http_status_code" (func $status (result i32)))
    (import "extism:host/env" "http_headers" (func $headers (result i64)))
    (func $answer (local $told i64)
      (local.set $told (call $headers))
      (call $output (local.get $told) (call $length (local.get $told))))
    (func (export "ask") (result i32) (local $block i64)
      (local.set $block (call $alloc (i64.const ${REQUEST.length})))
      ${bytes.join("\n")}
      (drop (call $request (local.get $block) (i64.const 0)))
      (call $answer)
      (i32.ne (call $status) (i32.const 201)))
    (func (export "look") (result i32) (call $answer) (call $status)))`;
  await using open = await openPlugin(source, {
    abi: "extism",
    services,
    spec: { shareRunners: true },
  });
  expect(textOf(await open.call("ask", "", "alice"))).toBe('{"set-cookie":"secret"}');
  expect(textOf(await open.call("look", "", "mallory"))).toBe("");
});
