/**
 * @module Runs every program of a WASI suite in processes of the sandbox:
 *
 *   npm run -s wasi -- DIR [--json] [--memory]
 *
 * DIR has the layout of WebAssembly's wasi-testsuite: NAME.wasm, and beside it NAME.json with `args`,
 * `env`, `dirs`, `root`, `stdin`, `exit_code`, `stdout` or nothing. Folders are copied for each
 * program to a temporary directory and granted by the broker with every right; with `--memory` they
 * are copied to files in memory instead. Prints each failure and each skip with its reason, then the
 * counts. Exits 1 when a program failed, 2 on wrong usage.
 */
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { parseArgs } from "node:util";

import { parsePluginId } from "@glovebox/core/ids";
import { createSandbox } from "@glovebox/sandbox";

import { copyToMemory } from "../packages/sandbox/test/wasi/memory-tree.ts";
import { problemOf } from "../packages/sandbox/test/wasi/run-test-case.ts";
import { readTestCases } from "../packages/sandbox/test/wasi/test-case.ts";
import { copyToDisk } from "./wasi-files.ts";

interface Verdict {
  readonly name: string;
  readonly verdict: "passed" | "failed" | "skipped";
  readonly reason?: string;
}

async function main(args: readonly string[]): Promise<number> {
  const given = argumentsOf(args);
  const directory = given && resolve(process.env["INIT_CWD"] ?? process.cwd(), given.directory);
  const isDirectory = directory && (await stat(directory).catch(() => undefined))?.isDirectory();
  if (!directory || isDirectory !== true) {
    process.stderr.write("usage: npm run -s wasi -- DIR [--json] [--memory]\n");
    return 2;
  }
  const verdicts: Verdict[] = [];
  const pluginId = parsePluginId("wasi-test");
  if (!pluginId.allowed) throw new Error(pluginId.reason);
  await using sandbox = await createSandbox({ poolSize: 2 });
  for (const test of await readTestCases(directory)) {
    const { name, skip, folders } = test;
    await using granted = await (given.memory
      ? copyToMemory(folders)
      : copyToDisk(pluginId.value, folders));
    const problem = skip ?? (await problemOf(sandbox, pluginId.value, test, granted.files));
    const verdict = skip === undefined ? (problem === undefined ? "passed" : "failed") : "skipped";
    verdicts.push({ name, verdict, ...(problem === undefined ? {} : { reason: problem }) });
  }
  const count = (verdict: Verdict["verdict"]): number =>
    verdicts.filter((other) => other.verdict === verdict).length;
  const counts = { passed: count("passed"), failed: count("failed"), skipped: count("skipped") };
  if (given.json) {
    process.stdout.write(`${JSON.stringify({ ...counts, programs: verdicts }, null, 2)}\n`);
  } else {
    for (const { name, verdict, reason } of verdicts) {
      if (reason !== undefined) process.stdout.write(`${verdict} ${name}: ${reason}\n`);
    }
    const { passed, failed, skipped } = counts;
    process.stdout.write(`wasi: ${passed} passed, ${failed} failed, ${skipped} skipped\n`);
  }
  return counts.failed > 0 ? 1 : 0;
}

function argumentsOf(
  args: readonly string[],
): { readonly directory: string; readonly json: boolean; readonly memory: boolean } | undefined {
  try {
    const { positionals, values } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: "boolean", default: false },
        memory: { type: "boolean", default: false },
      },
    });
    const [directory, ...more] = positionals;
    return directory === undefined || more.length > 0 ? undefined : { directory, ...values };
  } catch {
    return undefined;
  }
}

process.exitCode = await main(process.argv.slice(2));
