/** @module Runs one program of a WASI suite in a process of the sandbox, and judges how it ended. */
import { type Decision } from "@glovebox/core/decision";
import { newCallId, type PluginId } from "@glovebox/core/ids";
import type { CallOutcome, FilePort } from "@glovebox/core/ports";
import type { Sandbox } from "@glovebox/sandbox";
import { memoryHostServices } from "@glovebox/testkit";

import type { WasiTestCase } from "./test-case.ts";

const decoder = new TextDecoder();
const MAX_STDERR_LINES = 20;

/** How one program did: `undefined` = as expected. */
export async function problemOf(
  sandbox: Sandbox,
  pluginId: PluginId,
  test: WasiTestCase,
  files: FilePort,
): Promise<string | undefined> {
  const errors: string[] = [];
  const outcome = await run(sandbox, pluginId, test, files, (line) => {
    if (errors.length < MAX_STDERR_LINES) errors.push(line);
  });
  const problem = typeof outcome === "string" ? outcome : judge(test, outcome);
  return problem && [problem, ...errors].join("\n    ");
}

function judge({ exitCode, stdout }: WasiTestCase, outcome: CallOutcome): string | undefined {
  const ended = outcome.ok ? 0 : outcome.error.details["exitCode"];
  if (ended === undefined && !outcome.ok) return `${outcome.error.code}: ${outcome.error.message}`;
  if (ended !== exitCode) return `exit code ${String(ended)}, expected ${exitCode}`;
  if (stdout === undefined || (!outcome.ok && stdout === "")) return undefined;
  const written = outcome.ok ? decoder.decode(outcome.output) : undefined;
  return written === stdout
    ? undefined
    : `standard output ${JSON.stringify(written)}, expected ${JSON.stringify(stdout)}`;
}

async function run(
  sandbox: Sandbox,
  pluginId: PluginId,
  { name, bytes, args, env, stdin }: WasiTestCase,
  files: FilePort,
  onLine: (line: string) => void,
): Promise<CallOutcome | string> {
  await using runner = value(await sandbox.reserve({ pluginId }));
  const services = {
    ...memoryHostServices({ config: env, log: (_scope, _level, line) => onLine(line) }),
    files,
  };
  const started = await runner.start({
    abi: "wasi",
    modules: [{ name, bytes }],
    args,
    services,
  });
  if (!started.allowed) return `${started.code}: ${started.reason}`;
  await using plugin = started.value;
  const scope = {
    pluginId,
    callId: newCallId(),
    signal: new AbortController().signal,
    meter: { add: () => undefined },
  };
  return plugin.call(scope, "_start", stdin);
}

function value<T>(decision: Decision<T>): T {
  if (decision.allowed) return decision.value;
  throw new Error(`${decision.code}: ${decision.reason}`);
}
