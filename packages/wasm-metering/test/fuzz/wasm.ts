/**
 * @module Fuzzes reading and metering. Each run makes some programs of one kind, or changes bytes of
 * the module of a program; what fails is made smaller before it is reported.
 */
import fc from "fast-check";

import { encode } from "./encode.ts";
import { problemOf } from "./judge.ts";
import { mutations, problemOfBytes } from "./mutation.ts";
import { type ProgramFeatures, programs } from "./program.ts";

/** What went wrong, and the smallest input found that makes it so. */
export interface WasmFinding {
  readonly problem: string;
  readonly input: { readonly kind: string; readonly tree: unknown; readonly wasm: string };
}

const KINDS: readonly (readonly [string, ProgramFeatures])[] = [
  ["scalar", {}],
  ["tail calls", { tailCalls: true }],
  ["exceptions", { exceptions: true }],
  ["tail calls and exceptions", { tailCalls: true, exceptions: true }],
  ["vectors and objects", { wide: true, exceptions: true }],
];
const PROGRAMS_A_RUN = 25;
const MUTATIONS_A_RUN = 100;

/** The run of a number: the same number makes the same run. */
export function fuzzWasm(seed: number): WasmFinding | undefined {
  const turn = seed % (KINDS.length + 1);
  const kind = KINDS[turn];
  if (kind === undefined) {
    return search(
      "bytes",
      mutations(),
      problemOfBytes,
      ({ bytes }) => bytes,
      seed,
      MUTATIONS_A_RUN,
    );
  }
  const [name, features] = kind;
  const hasWide = features.wide === true;
  return search(
    name,
    programs(features),
    (program) => problemOf(encode(program, hasWide), !hasWide),
    (program) => encode(program, hasWide),
    seed,
    PROGRAMS_A_RUN,
  );
}

/** As `scripts/fuzz.ts` wants it. */
export async function openWasmFuzzer(): Promise<
  AsyncDisposable & { run(seed: number): Promise<WasmFinding | undefined> }
> {
  return { run: async (seed) => fuzzWasm(seed), [Symbol.asyncDispose]: async () => {} };
}

function search<T>(
  kind: string,
  arbitrary: fc.Arbitrary<T>,
  problemWith: (value: T) => string | undefined,
  bytesOf: (value: T) => Uint8Array,
  seed: number,
  numRuns: number,
): WasmFinding | undefined {
  const judge = (value: T): string | undefined => {
    try {
      return problemWith(value);
    } catch (error) {
      return error instanceof Error ? String(error.stack).slice(0, 600) : String(error);
    }
  };
  const details = fc.check(
    fc.property(arbitrary, (value) => judge(value) === undefined),
    { seed, numRuns },
  );
  const smallest = details.counterexample?.[0];
  if (smallest === undefined) return undefined;
  return {
    problem: `${kind}: ${judge(smallest)}`,
    input: { kind, tree: smallest, wasm: Buffer.from(bytesOf(smallest)).toString("base64") },
  };
}
