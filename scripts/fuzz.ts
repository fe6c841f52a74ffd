/**
 * @module Makes random runs until the time is over, each from a number of its own:
 *
 *   npm run -s fuzz -- NAME [--minutes N] [--runs N] [--seed S] [--replay FILE]
 *
 * Each failure is printed and written to a file, which `--replay` runs again. The last line counts.
 * Exits 1 when a run failed, 2 on wrong usage. Runs from source, so only the runner is built.
 */
import { randomInt } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parseArgs } from "node:util";

/** What went wrong in a run, and the input that made it so. */
interface Finding {
  readonly problem: string;
  readonly input: unknown;
}

/** Makes runs; the same number makes the same run. */
interface Fuzzer extends AsyncDisposable {
  run(seed: number): Promise<Finding | undefined>;
}

const FUZZERS: Readonly<Record<string, () => Promise<Fuzzer>>> = {
  sandbox: async () =>
    (await import("../packages/sandbox/test/fuzz/sandbox.ts")).openSandboxFuzzer(),
  wasm: async () => (await import("../packages/wasm-metering/test/fuzz/wasm.ts")).openWasmFuzzer(),
};

const MAX_FAILURES = 20;
const MAX_SEED = 2 ** 31;
const MS_PER_MINUTE = 60_000;
const DEFAULT_MINUTES = 1;

/** What was asked for. */
interface Plan {
  readonly name: string;
  readonly seed: number;
  readonly runs: number;
  readonly milliseconds: number;
}

/** Fuzzes as planned and resolves to the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const plan = await planOf(args).catch(() => undefined);
  const open = plan && Object.hasOwn(FUZZERS, plan.name) ? FUZZERS[plan.name] : undefined;
  if (plan === undefined || open === undefined) {
    process.stderr.write(
      `usage: npm run -s fuzz -- NAME [--minutes N] [--runs N] [--seed S] [--replay FILE], NAME one of ${Object.keys(FUZZERS).join(", ")}\n`,
    );
    return 2;
  }
  await using fuzzer = await open();
  const endMs = performance.now() + plan.milliseconds;
  let runs = 0;
  let failures = 0;
  while (runs < plan.runs && failures < MAX_FAILURES && performance.now() < endMs) {
    const seed = (plan.seed + runs) % MAX_SEED;
    const finding = await fuzzer.run(seed);
    runs += 1;
    if (finding === undefined) continue;
    failures += 1;
    const file = resolve(userFolder(), `fuzz-${plan.name}-${seed}.json`);
    await writeFile(file, `${JSON.stringify({ fuzz: plan.name, seed, ...finding }, plain, 2)}\n`);
    process.stdout.write(`FAIL ${seed}: ${finding.problem} (${file})\n`);
  }
  process.stdout.write(`fuzz: ${runs} runs, ${failures} failures, seed ${plan.seed}\n`);
  return failures > 0 ? 1 : 0;
}

async function planOf(args: readonly string[]): Promise<Plan> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      minutes: { type: "string" },
      runs: { type: "string" },
      seed: { type: "string" },
      replay: { type: "string" },
    },
  });
  const [name = "", ...more] = positionals;
  if (more.length > 0) throw new RangeError("one name");
  if (values.replay !== undefined) {
    const file = JSON.parse(await readFile(resolve(userFolder(), values.replay), "utf8")) as {
      seed: number;
    };
    return { name, seed: file.seed, runs: 1, milliseconds: Number.POSITIVE_INFINITY };
  }
  // A number of runs is its own end.
  const minutes = values.minutes ?? (values.runs === undefined ? DEFAULT_MINUTES : Infinity);
  return {
    name,
    seed: values.seed === undefined ? randomInt(MAX_SEED) : positive(values.seed),
    runs: values.runs === undefined ? Number.POSITIVE_INFINITY : positive(values.runs),
    milliseconds: positive(minutes) * MS_PER_MINUTE,
  };
}

function positive(value: string | number): number {
  const number = Number(value);
  if (!(number >= 0)) throw new RangeError("a number from 0");
  return number;
}

/** npm starts scripts in the root; its user may stand elsewhere. */
function userFolder(): string {
  return process.env["INIT_CWD"] ?? process.cwd();
}

function plain(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}

process.exit(await main(process.argv.slice(2)));
