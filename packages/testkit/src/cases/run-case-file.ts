/**
 * @module Runs a case file (contract.md 6): every case is judged, every miss and every skip is
 * printed with its reason, and the last line counts. A judge that throws or never answers is a
 * miss, so that no mistake of the harness reads as a success.
 */
import type { Clock } from "@glovebox/core/clock";
import { SecurityError, sanitizeForMessage } from "@glovebox/core/errors";

import { DEFAULT_CASE_TIMEOUT_MS, MAX_TIMEOUT_MS } from "../limits.ts";
import { type CaseFile, readCaseFile, type TestCase } from "./case-file.ts";

/**
 * What a judge says of a case: the verdict that was observed, which is compared with the case's
 * `expected`; or its own judgement, where a suite has further conditions; or that it was not run.
 */
export type CaseVerdict =
  | { readonly kind: "verdict"; readonly verdict: string; readonly reason?: string }
  | { readonly kind: "pass" }
  | { readonly kind: "fail"; readonly reason: string }
  | { readonly kind: "skip"; readonly reason: string };

/** What a judge may want besides the case. */
export interface CaseContext {
  readonly file: CaseFile;
  /** Aborted when the case's time is over. */
  readonly signal: AbortSignal;
}

/** Puts one case to the test. */
export type CaseJudge = (testCase: TestCase, context: CaseContext) => Promise<CaseVerdict>;

/** A case that did not pass, and why. */
export interface CaseNote {
  readonly id: string;
  readonly reason: string;
}

/** How a file came out. */
export interface CaseReport {
  /** Ids. */
  readonly passed: readonly string[];
  readonly failed: readonly CaseNote[];
  readonly skipped: readonly CaseNote[];
}

/** How to run. */
export interface RunCaseFileOptions {
  /** Takes each line of the report, with its line break. */
  readonly write: (text: string) => void;
  /** Milliseconds for each case. Default: 60,000. */
  readonly caseTimeoutMs?: number;
}

/** What the runner takes from outside. */
export interface RunCaseFileDeps {
  /** Default: the system's timers, which keep the process alive while a case runs. */
  readonly clock?: Pick<Clock, "setTimer">;
}

/**
 * Judges the cases of a file, given by path or already read, one after the other.
 *
 * @throws {@link TestkitError} (`TESTKIT_CASE_FILE`) when the file has another form.
 *
 * @example
 * ```ts
 * const report = await runCaseFile("network.json", judge, { write: (text) => process.stdout.write(text) });
 * process.exitCode = report.failed.length > 0 ? 1 : 0;
 * ```
 */
export async function runCaseFile(
  source: string | URL | CaseFile,
  judge: CaseJudge,
  options: RunCaseFileOptions,
  deps: RunCaseFileDeps = {},
): Promise<CaseReport> {
  const file =
    typeof source === "string" || source instanceof URL ? await readCaseFile(source) : source;
  const { write, caseTimeoutMs = DEFAULT_CASE_TIMEOUT_MS } = options;
  const clock = deps.clock ?? PROCESS_TIMERS;
  const passed: string[] = [];
  const failed: CaseNote[] = [];
  const skipped: CaseNote[] = [];

  function note(list: CaseNote[], label: string, id: string, reason: string): void {
    // Reasons quote what a plugin or a server sent; here each has to stay on one line.
    const line = sanitizeForMessage(reason);
    list.push({ id, reason: line });
    write(`${label} ${sanitizeForMessage(id)}: ${line}\n`);
  }

  for (const testCase of file.cases) {
    const verdict = await judgeWithin(caseTimeoutMs, clock, testCase, file, judge);
    if (verdict.kind === "pass") passed.push(testCase.id);
    else if (verdict.kind === "fail") note(failed, "FAIL", testCase.id, verdict.reason);
    else note(skipped, "SKIP", testCase.id, verdict.reason);
  }
  write(`cases: ${passed.length} passed, ${failed.length} failed, ${skipped.length} skipped\n`);
  return { passed, failed, skipped };
}

type Settled = Exclude<CaseVerdict, { readonly kind: "verdict" }>;

async function judgeWithin(
  timeoutMs: number,
  clock: Pick<Clock, "setTimer">,
  testCase: TestCase,
  file: CaseFile,
  judge: CaseJudge,
): Promise<Settled> {
  const controller = new AbortController();
  const late = Promise.withResolvers<Settled>();
  using _timer = clock.setTimer(timeoutMs, () => {
    late.resolve({ kind: "fail", reason: `no verdict within ${timeoutMs} ms` });
    controller.abort();
  });
  // Asynchronous, so that a judge that throws at once is caught like one that rejects.
  const judged = (async () =>
    compare(testCase, await judge(testCase, { file, signal: controller.signal })))();
  try {
    // Awaited here: the timer is cancelled when this function is left.
    return await Promise.race([judged, late.promise]);
  } catch (error) {
    return { kind: "fail", reason: `the judge threw ${describe(error)}` };
  }
}

function compare({ expected }: TestCase, verdict: CaseVerdict): Settled {
  if (verdict.kind !== "verdict") return verdict;
  if (expected === undefined)
    return { kind: "fail", reason: "the case has no `expected` to compare with" };
  if (verdict.verdict === expected) return { kind: "pass" };
  const because = verdict.reason === undefined ? "" : ` (${verdict.reason})`;
  return { kind: "fail", reason: `expected ${expected}, got ${verdict.verdict}${because}` };
}

function describe(error: unknown): string {
  if (error instanceof SecurityError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** Unlike core's timers these hold the process: it must not end before a hanging case is reported. */
const PROCESS_TIMERS: Pick<Clock, "setTimer"> = {
  setTimer(afterMs, run) {
    const timer = setTimeout(run, Math.min(afterMs, MAX_TIMEOUT_MS));
    const cancel = (): void => clearTimeout(timer);
    return { cancel, [Symbol.dispose]: cancel };
  },
};
