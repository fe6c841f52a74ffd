/**
 * @module A script in four modes against the plain engine. Reader: what our reader says of modules
 * and exports. Validator, roundtrip, instrumented: the script runs again with modules that were
 * validated, written anew or metered, and each command must come to the same.
 */
import { createHash } from "node:crypto";

import type { Sha256 } from "@glovebox/core/ids";
import { type MeteringOptions, meterModule } from "@glovebox/wasm-metering";

import { fuelled } from "./fuelled.ts";
import { ReaderMode } from "./reader-mode.ts";
import { reencode } from "./reencode.ts";
import { BUDGET, type Outcome, type Prepare, Refusal, runScript } from "./run-script.ts";
import type { Command } from "./script.ts";
import { validating } from "./validator-mode.ts";

/** The modes, in the order they are reported. */
export const MODES = ["reader", "validator", "roundtrip", "instrumented"] as const;
/** A mode. */
export type Mode = (typeof MODES)[number];

/** A command that did not pass. */
export interface Miss {
  readonly line: number;
  readonly reason: string;
}

/** What a mode made of a script. */
export interface ModeResult {
  readonly passed: number;
  readonly failed: readonly Miss[];
  /** Modules that the mode would refuse by a policy of its own, and why; they count as the others. */
  readonly notes: readonly string[];
}

/** What the plain engine made of a script. */
export interface PlainRun {
  readonly outcomes: readonly Outcome[];
  /** Commands that no mode is judged by: the engine itself fails them, or they were not read. */
  readonly skipped: readonly Miss[];
}

/** As much memory and table as the engine gives, so that growing fails where it fails plainly. */
const NO_LIMITS: MeteringOptions = { maxMemoryPages: 262_144, maxTableElements: 10_000_000 };

/** Runs the script as it is. */
export async function runPlainly(commands: readonly Command[]): Promise<PlainRun> {
  const outcomes = await runScript(commands, (bytes) => ({ bytes }));
  const skipped = commands.flatMap((command, index) => {
    const { meets, text } = outcomes[index] as Outcome;
    if (meets) return [];
    const reason = command.kind === "skipped" ? command.reason : `the plain engine fails: ${text}`;
    return [{ line: command.line, reason }];
  });
  return { outcomes, skipped };
}

/** Judges one mode. */
export async function runMode(
  mode: Mode,
  commands: readonly Command[],
  plain: readonly Outcome[],
): Promise<ModeResult> {
  const notes: string[] = [];
  const problems = await PROBLEMS[mode](commands, plain, notes);
  const failed: Miss[] = [];
  let passed = 0;
  for (const [index, { line }] of commands.entries()) {
    if (plain[index]?.meets !== true) continue;
    const reason = problems[index];
    if (reason === undefined) passed++;
    else failed.push({ line, reason });
  }
  return { passed, failed, notes };
}

type Problems = readonly (string | undefined)[];
type Judge = (
  commands: readonly Command[],
  plain: readonly Outcome[],
  notes: string[],
) => Promise<Problems>;

const PROBLEMS: Readonly<Record<Mode, Judge>> = {
  reader: async (commands, plain) => {
    const reader = new ReaderMode();
    return commands.map((command, index) =>
      reader.problemOf(command, plain[index]?.meets === true),
    );
  },
  validator: async (commands, plain, notes) =>
    differences(plain, await runScript(commands, validating(notes))),
  roundtrip: async (commands, plain) =>
    differences(plain, await runScript(commands, (bytes) => ({ bytes: reencode(bytes) }))),
  instrumented: async (commands, plain) => {
    const merged = await runScript(commands, metering(NO_LIMITS));
    const reference = await runScript(commands, metering({ ...NO_LIMITS, placement: "per-block" }));
    const counted = await runScript(commands, metering({ ...NO_LIMITS, maxCallDepth: 1_000_000 }));
    const counts = commands.map(
      (command, index) =>
        fuelProblem(command, merged[index] as Outcome, reference[index] as Outcome) ??
        fuelProblem(command, counted[index] as Outcome, merged[index] as Outcome) ??
        depthProblem(command, counted[index] as Outcome),
    );
    const runs = [merged, reference, counted].map((run) => differences(plain, run));
    return commands.map((_, index) => runs.find((run) => run[index])?.[index] ?? counts[index]);
  },
};

function differences(plain: readonly Outcome[], other: readonly Outcome[]): Problems {
  return plain.map(({ text }, index) => {
    const seen = other[index]?.text;
    return seen === text ? undefined : `${JSON.stringify(text)} became ${JSON.stringify(seen)}`;
  });
}

/** The count equals the reference's, and is never less where the run ends in a trap. */
function fuelProblem({ kind }: Command, merged: Outcome, reference: Outcome): string | undefined {
  const mayTrap = kind === "trap" || kind === "refused";
  const isRight = mayTrap ? merged.fuel >= reference.fuel : merged.fuel === reference.fuel;
  return isRight ? undefined : `counted ${merged.fuel}, the reference ${reference.fuel}`;
}

/** What returns comes back at the depth that it began at. */
function depthProblem({ kind }: Command, { depth }: Outcome): string | undefined {
  const returns = kind === "action" || kind === "return";
  return returns && depth !== 0 ? `came back at depth ${depth}` : undefined;
}

function metering(options: MeteringOptions): Prepare {
  return (original) => {
    if (!WebAssembly.validate(original))
      throw new Refusal("the engine refuses it, so there is no proof");
    const sha256 = createHash("sha256").update(original).digest("hex") as Sha256;
    const decision = meterModule({ bytes: original, sha256, verdict: {} }, options);
    if (!decision.allowed) throw new Refusal(`${decision.code}: ${decision.reason}`);
    return { ...decision.value, bytes: fuelled(decision.value.bytes, BUDGET) };
  };
}
