/**
 * @module A runtime on real processes for a test, and the plugins that the tests load, as text.
 * Signatures are off unless a test is about them; everything else is as by default.
 */
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openLogReader } from "@glovebox/auditor/log";
import { type CallContext, PluginRuntime, type RuntimeConfig } from "@glovebox/runtime";
import { buildPluginPackage } from "@glovebox/testkit";

/** One line of the audit log. */
export interface LoggedEvent {
  readonly kind: string;
  readonly success: boolean;
  readonly pluginId?: string;
  readonly tenantId?: string;
  readonly callId?: string;
  readonly code?: string;
  readonly rule?: string;
  readonly actor?: string;
  readonly error?: string;
  readonly function?: string;
  /** Pseudonym of the person. */
  readonly subject?: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly resourceUsage?: Readonly<Record<string, unknown>>;
}

/** A runtime with its own audit log, removed at the end. */
export interface TestRuntime extends AsyncDisposable {
  readonly runtime: PluginRuntime;
  readonly auditDirectory: string;
  /** Builds and loads a plugin; fails the test if it is refused. */
  load(options: Parameters<typeof buildPluginPackage>[0]): Promise<void>;
  /** Calls with text, and answers the output as text or the error's code. */
  call(
    pluginId: string,
    functionName: string,
    input?: string,
    context?: CallContext,
  ): Promise<string>;
  /** Every event that is on disk by now. */
  events(): Promise<readonly LoggedEvent[]>;
}

/** Opens a runtime. */
export async function openRuntime(config: RuntimeConfig = {}): Promise<TestRuntime> {
  const parent = await realpath(await mkdtemp(join(tmpdir(), "glovebox-audit-")));
  const auditDirectory = join(parent, "audit");
  const runtime = await PluginRuntime.open({
    ...config,
    audit: { directory: auditDirectory, ...config.audit },
    validation: { requireSignatures: false, ...config.validation },
  });
  return {
    runtime,
    auditDirectory,
    async load(options) {
      await using plugin = await buildPluginPackage(options);
      const result = await runtime.load(plugin.path);
      if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message}`);
    },
    async call(pluginId, functionName, input = "", context = {}) {
      const bytes = Buffer.from(input);
      const outcome = await runtime.executePluginFunction(pluginId, functionName, context, bytes);
      return outcome.ok ? Buffer.from(outcome.output).toString() : outcome.error.code;
    },
    events: () => readEvents(auditDirectory),
    async [Symbol.asyncDispose]() {
      await runtime.close();
      await rm(parent, { recursive: true, force: true });
    },
  };
}

/** Reads the events of all logs of a host, as they were recorded. */
export async function readEvents(directory: string): Promise<readonly LoggedEvent[]> {
  const events: (LoggedEvent & { readonly time: number; readonly seq: number })[] = [];
  for (const kept of ["security", "activity", "operations"]) {
    for await (const { bytes } of (await openLogReader(join(directory, kept))).read(0)) {
      events.push(JSON.parse(Buffer.from(bytes).toString()) as (typeof events)[number]);
    }
  }
  return events.toSorted((one, other) => one.time - other.time || one.seq - other.seq);
}

/** A flat plugin of functions `(at, length) → (at, length)`; bodies are instructions. */
export function flatPlugin(functions: Readonly<Record<string, string>>, extra = ""): string {
  const bodies = Object.entries(functions).map(
    ([name, body]) =>
      `(func (export "${name}") (param $at i32) (param $length i32) (result i32 i32) ${body})`,
  );
  return `(module
    (memory (export "memory") 1 1000)
    (global $next (mut i32) (i32.const 4096))
    (func (export "alloc") (param $size i32) (result i32)
      (local $at i32)
      (local.set $at (global.get $next))
      (if (i32.gt_u (i32.add (local.get $at) (local.get $size)) (i32.mul (memory.size) (i32.const 65536)))
        (then (drop (memory.grow (i32.add (i32.const 1) (i32.shr_u (local.get $size) (i32.const 16)))))))
      (local.get $at))
    ${extra}
    ${bodies.join("\n")})`;
}

/** What the plugin gets, it answers. */
export const ECHO = "(local.get $at) (local.get $length)";
/** Never ends. */
export const SPIN = "(loop $again (br $again)) unreachable";
/** Traps. */
export const TRAP = "unreachable";

/**
 * An Extism plugin that reaches out: `remember` and `recall` one variable, `setting` reads the
 * configuration, `fetch` sends an HTTP request, and one function for each host function that is
 * named, which passes the input on and answers what it gets.
 */
export function reachingPlugin(hostFunctions: readonly string[] = []): string {
  const imports = hostFunctions.map(
    (name) => `(import "extism:host/user" "${name}" (func $${name} (param i64) (result i64)))`,
  );
  const functions = hostFunctions.map(
    (name) => `(func (export "${name}") (result i32) (call $answer (call $${name} (call $input))))`,
  );
  return `(module
    (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
    (import "extism:host/env" "length" (func $length (param i64) (result i64)))
    (import "extism:host/env" "input_length" (func $input_length (result i64)))
    (import "extism:host/env" "input_load_u8" (func $input_load_u8 (param i64) (result i32)))
    (import "extism:host/env" "store_u8" (func $store_u8 (param i64 i32)))
    (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
    (import "extism:host/env" "var_get" (func $var_get (param i64) (result i64)))
    (import "extism:host/env" "var_set" (func $var_set (param i64 i64)))
    (import "extism:host/env" "config_get" (func $config_get (param i64) (result i64)))
    (import "extism:host/env" "http_request" (func $http_request (param i64 i64) (result i64)))
    (import "extism:host/env" "log_info" (func $log_info (param i64)))
    ${imports.join("\n")}
    (func $input (result i64)
      (local $block i64) (local $at i64)
      (local.set $block (call $alloc (call $input_length)))
      (loop $next
        (if (i64.lt_u (local.get $at) (call $input_length)) (then
          (call $store_u8 (i64.add (local.get $block) (local.get $at))
            (call $input_load_u8 (local.get $at)))
          (local.set $at (i64.add (local.get $at) (i64.const 1)))
          (br $next))))
      (local.get $block))
    (func $key (result i64)
      (local $block i64)
      (local.set $block (call $alloc (i64.const 1)))
      (call $store_u8 (local.get $block) (i32.const 107))
      (local.get $block))
    (func $answer (param $block i64) (result i32)
      (call $output_set (local.get $block) (call $length (local.get $block)))
      (i32.const 0))
    (func (export "remember") (result i32) (call $var_set (call $key) (call $input)) (i32.const 0))
    (func (export "recall") (result i32) (call $answer (call $var_get (call $key))))
    (func (export "setting") (result i32) (call $answer (call $config_get (call $input))))
    (func (export "fetch") (result i32)
      (call $answer (call $http_request (call $input) (i64.const 0))))
    (func (export "say") (result i32) (call $log_info (call $input)) (i32.const 0))
    ${functions.join("\n")})`;
}
