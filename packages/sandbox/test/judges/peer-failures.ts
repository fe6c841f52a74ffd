/**
 * @module What plugins do to peers (measured against Extism's JavaScript SDK), done to us. Each answers
 * what was seen, in a word that the case file expects.
 */
import { setTimeout as sleep } from "node:timers/promises";

import { allow, refuse } from "@glovebox/core/decision";
import type { CallOutcome, HostFunction } from "@glovebox/core/ports";
import { callScope, memoryHostServices } from "@glovebox/testkit";
import { memoryFiles } from "@glovebox/testkit/files";

import { FLAT_BASE } from "../support/fixtures.ts";
import { openPlugin } from "../support/open-plugin.ts";

/** How many calls `million-calls` makes; a tenth of a second for each ten thousand. */
export interface PeerFailureOptions {
  readonly calls: number;
}

const KERNEL = `
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "load_u8" (func $load (param i64) (result i32)))
  (import "extism:host/env" "store_u8" (func $store (param i64 i32)))
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (import "extism:host/env" "input_load_u8" (func $input (param i64) (result i32)))
  (import "extism:host/env" "output_set" (func $output (param i64 i64)))
  (import "extism:host/env" "config_get" (func $config (param i64) (result i64)))
  (import "extism:host/env" "log_info" (func $log (param i64)))`;

/** Asks the host function `ask` with the input and answers with its answer. */
const ASKING = `(module ${KERNEL}
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/user" "ask" (func $ask (param i64) (result i64)))
  (func $copy (result i64) (local $block i64) (local $at i64)
    (local.set $block (call $alloc (call $input_length)))
    (loop $next
      (call $store (i64.add (local.get $block) (local.get $at)) (call $input (local.get $at)))
      (local.set $at (i64.add (local.get $at) (i64.const 1)))
      (br_if $next (i64.lt_u (local.get $at) (call $input_length))))
    (local.get $block))
  (func (export "ask") (result i32) (local $answer i64)
    (local.set $answer (call $ask (call $copy)))
    (call $output (local.get $answer) (call $length (local.get $answer)))
    (i32.const 0))
  (func (export "say") (result i32) (local $said i64)
    (local.set $said (call $copy))
    (call $output (local.get $said) (call $length (local.get $said)))
    (i32.const 0))
  (func (export "spin") (result i32) (loop $l (br $l)) (unreachable)))`;

type Ask = (text: string) => Promise<string>;

/** A host function from bytes to bytes. */
function asking(ask: Ask): ReadonlyMap<string, HostFunction> {
  const call: HostFunction["call"] = async (_scope, [text]) =>
    allow("test", Buffer.from(await ask(Buffer.from(text as Uint8Array).toString())));
  return new Map([["ask", { parameters: ["bytes"], result: "bytes", call }]]);
}

const openAsking = (ask: Ask, limits = {}, runnersPerTenant = 1) =>
  openPlugin(ASKING, {
    abi: "extism",
    limits,
    services: { ...memoryHostServices(), functions: asking(ask) },
    spec: { runnersPerTenant },
  });

const seen = (outcome: CallOutcome): string =>
  outcome.ok ? Buffer.from(outcome.output).toString() : outcome.error.code;
const numberIn = (outcome: CallOutcome): string =>
  outcome.ok ? String(Buffer.from(outcome.output).readInt32LE()) : outcome.error.code;

/** What loading it ends with. */
async function loaded(wat: string, options: Parameters<typeof openPlugin>[1]): Promise<string> {
  try {
    await using open = await openPlugin(wat, options);
    return open.plugin.status().state;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

/** By the id of the case. */
export const PEER_FAILURES: Readonly<
  Record<string, (options: PeerFailureOptions) => Promise<string>>
> = {
  async "allocator-bomb"() {
    await using open = await openPlugin(
      `(module (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
        (func (export "a") (loop $l (drop (call $alloc (i64.const 1))) (br $l))))`,
      { abi: "extism", limits: { cpuMs: 300 } },
    );
    const before = process.memoryUsage.rss();
    const outcome = await open.call("a");
    const grown = process.memoryUsage.rss() - before;
    return grown < 64 * 2 ** 20 ? seen(outcome) : `the host grew by ${grown} bytes`;
  },

  async "memory-grow"() {
    await using open = await openPlugin(
      `(module (memory (export "memory") 1)
        (func (export "alloc") (param i32) (result i32) (i32.const 8))
        (func (export "grow") (param i32 i32) (result i32 i32)
          (i32.store (i32.const 0) (memory.grow (i32.const 16384))) (i32.const 0) (i32.const 4)))`,
      { limits: { memoryBytes: 640 * 1024 } },
    );
    return numberIn(await open.call("grow"));
  },

  async "guessable-handles"() {
    // Extism numbered its blocks in the upper 16 bits.
    await using open = await openPlugin(
      `(module ${KERNEL} (func (export "guess") (result i32) (local $at i64) (local $seen i64)
        (local.set $at (i64.const 1))
        (loop $next
          (call $store (i64.shl (local.get $at) (i64.const 48)) (i32.const 7))
          (local.set $seen (i64.add (local.get $seen)
            (i64.extend_i32_u (call $load (i64.shl (local.get $at) (i64.const 48))))))
          (local.set $at (i64.add (local.get $at) (i64.const 1)))
          (br_if $next (i64.lt_u (local.get $at) (i64.const 1000))))
        (i32.wrap_i64 (local.get $seen)))
        (func (export "above") (result i32) (call $store (i64.const 0xfffffff0) (i32.const 7))
          (call $load (i64.const 0xfffffff0))))`,
      { abi: "extism" },
    );
    // A result other than 0 would be the plugin's error.
    const results = [await open.call("guess"), await open.call("above")];
    return results.map((outcome) => (outcome.ok ? 0 : outcome.error.message)).join(" ");
  },

  async "table-bomb"() {
    await using open = await openPlugin(`(module ${FLAT_BASE} (table $table 1 funcref)
      (func (export "grow") (param i32 i32) (result i32 i32)
        (i32.store (i32.const 0) (table.grow $table (ref.null func) (i32.const 10000000)))
        (i32.const 0) (i32.const 4)))`);
    return numberIn(await open.call("grow"));
  },

  "start-loop": () =>
    loaded(`(module ${FLAT_BASE} (func $start (loop $l (br $l))) (start $start))`, {
      limits: { cpuMs: 50 },
    }),

  "trap-in-initialize": () =>
    loaded(`(module (func (export "_initialize") (unreachable)))`, { abi: "extism" }),

  async "million-calls"({ calls }) {
    await using open = await openPlugin(ASKING, {
      abi: "extism",
      services: { ...memoryHostServices(), functions: asking(async () => "") },
      spec: { recycle: { calls: 2 * calls } },
    });
    const scope = callScope();
    const input = new TextEncoder().encode("hello world");
    const [pid] = open.plugin.status().pids;
    let answered = 0;
    let left = calls;
    const lane = async (): Promise<void> => {
      while (left-- > 0) if ((await open.plugin.call(scope, "say", input)).ok) answered += 1;
    };
    await Promise.all(Array.from({ length: 32 }, lane));
    return open.plugin.status().pids[0] === pid ? String(answered) : "another process";
  },

  async "concurrent-calls"() {
    const release = Promise.withResolvers<void>();
    let asked = 0;
    await using open = await openAsking(
      async (text) => {
        if (++asked === 2) release.resolve();
        await release.promise;
        return text;
      },
      {},
      2,
    );
    const both = await Promise.all([open.call("ask", "alice"), open.call("ask", "bob")]);
    return both.map(seen).join(" ");
  },

  async "late-answer"() {
    const late = Promise.withResolvers<string>();
    await using open = await openAsking(
      (text) => (text === "slow" ? late.promise : Promise.resolve(text)),
      { wallMs: 100 },
    );
    const ended = seen(await open.call("ask", "slow"));
    if (ended !== "SANDBOX_WALL_LIMIT") return ended;
    const next = open.call("ask", "fresh");
    late.resolve("answer for another");
    return seen(await next);
  },

  async "error-verbatim"() {
    await using open = await openAsking(() =>
      Promise.reject(new Error("connect postgres://app:hunter2@db/main")),
    );
    const outcome = await open.call("ask", "x");
    if (outcome.ok) return "it succeeded";
    return outcome.error.publicMessage.includes("hunter2") ? "the password" : outcome.error.code;
  },

  async "dead-after-refusal"() {
    const call = async () => refuse("NOT_GRANTED", "test", "nothing");
    const target: HostFunction = { parameters: ["bytes"], result: "bytes", call };
    await using open = await openPlugin(ASKING, {
      abi: "extism",
      services: { ...memoryHostServices(), functions: new Map([["ask", target]]) },
    });
    const refused = seen(await open.call("ask", "x"));
    return refused === "SANDBOX_HOST_CALL_REFUSED"
      ? seen(await open.call("say", "alive"))
      : refused;
  },

  async "kill-during-call"() {
    await using open = await openAsking(async (text) => text);
    const spinning = open.call("spin");
    await open.plugin.kill("the operator closes it");
    return seen(await Promise.race([spinning, sleep(2_000, spinning)]));
  },

  async "inherited-configuration"() {
    await using open = await openPlugin(
      `(module ${KERNEL} (memory (export "memory") 1) (data (i32.const 0) "constructor")
        (func (export "look") (result i32) (local $key i64) (local $at i32)
          (local.set $key (call $alloc (i64.const 11)))
          (loop $next
            (call $store (i64.add (local.get $key) (i64.extend_i32_u (local.get $at)))
              (i32.load8_u (local.get $at)))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br_if $next (i32.lt_u (local.get $at) (i32.const 11))))
          (i32.wrap_i64 (call $config (local.get $key)))))`,
      { abi: "extism" },
    );
    const outcome = await open.call("look");
    return outcome.ok ? "none" : outcome.error.message;
  },

  async "pooled-input"() {
    await using open = await openAsking(async (text) => text);
    const input = Buffer.from("input");
    if (input.buffer.byteLength === input.length) return "not pooled";
    const outcome = await open.call("say", input);
    return outcome.ok ? `${outcome.output.buffer.byteLength} bytes` : outcome.error.code;
  },

  async "wasi-symlinks"() {
    const files = memoryFiles({
      files: { "/data/in.txt": "in", "/outside.txt": "secret" },
      links: { "/data/planted": "../outside.txt" },
      folders: ["/data"],
    });
    // Bits of the result: which of the four ways out was open.
    await using open = await openPlugin(
      `(module
        (import "wasi_snapshot_preview1" "path_symlink"
          (func $symlink (param i32 i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "path_open"
          (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (data (i32.const 0) "../outside.txt")
        (data (i32.const 32) "made")
        (data (i32.const 64) "planted")
        (data (i32.const 96) "in.txt")
        (func $try (param $at i32) (param $length i32) (result i32)
          (i32.eqz (call $open (i32.const 3) (i32.const 1) (local.get $at) (local.get $length)
            (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 200))))
        (func (export "_start")
          (if (i32.eqz (call $try (i32.const 96) (i32.const 6))) (then (call $exit (i32.const 99))))
          (call $exit (i32.or (i32.or
            (i32.eqz (call $symlink (i32.const 0) (i32.const 14) (i32.const 3) (i32.const 32) (i32.const 4)))
            (i32.shl (call $try (i32.const 32) (i32.const 4)) (i32.const 1)))
            (i32.or (i32.shl (call $try (i32.const 64) (i32.const 7)) (i32.const 2))
            (i32.shl (call $try (i32.const 0) (i32.const 14)) (i32.const 3)))))))`,
      { abi: "wasi", services: { ...memoryHostServices(), files } },
    );
    const outcome = await open.call("_start");
    return outcome.ok ? "refused" : outcome.error.message;
  },
};
