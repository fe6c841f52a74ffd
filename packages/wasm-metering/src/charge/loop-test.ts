/**
 * @module The ends of loops that count: a local goes by a step and is compared with a bound, as
 * compilers write it (metering R5). Only such ends as are sure to be met, so that how often the loop
 * runs is known before it begins.
 */
import { opcodeNamed } from "@glovebox/wasm-binary/operators";

/** How a loop goes on: while the local differs from its bound, is below it, or is above it. */
export type LoopTest =
  | "differs"
  | "below-signed"
  | "below-unsigned"
  | "above-signed"
  | "above-unsigned";

/** A local that goes by `step` for as long as the test says. */
export interface CountedEnd {
  readonly local: number;
  /** Odd where the test is `differs`; above 0 for `below`, below 0 for `above`. */
  readonly step: number;
  readonly test: LoopTest;
  /** A constant, or the index of a local. */
  readonly bound: { readonly kind: "constant" | "local"; readonly value: number };
}

/** An operator, with what the pattern asks of it. */
export interface Step {
  readonly opcode: number;
  /** Index or label. */
  readonly first: number;
  /** Of a constant. */
  readonly value: number;
  /** Blocks around it, from where the reader was opened. */
  readonly depth: number;
}

/** Operators of the longest pattern, its branch included. */
export const LONGEST_END = 8;

const OP = {
  get: opcodeNamed("local.get"),
  tee: opcodeNamed("local.tee"),
  constant: opcodeNamed("i32.const"),
  add: opcodeNamed("i32.add"),
  subtract: opcodeNamed("i32.sub"),
  branchIf: opcodeNamed("br_if"),
} as const;

interface Comparison {
  readonly test: LoopTest;
  readonly mirrored: LoopTest;
  readonly orEqual: boolean;
}

/** Comparisons by opcode; `mirrored` is what the one means when its operands change places. */
const COMPARISONS: ReadonlyMap<number, Comparison> = new Map(
  (
    [
      ["i32.ne", "differs", "differs", false],
      ["i32.lt_s", "below-signed", "above-signed", false],
      ["i32.lt_u", "below-unsigned", "above-unsigned", false],
      ["i32.gt_s", "above-signed", "below-signed", false],
      ["i32.gt_u", "above-unsigned", "below-unsigned", false],
      ["i32.le_s", "below-signed", "above-signed", true],
      ["i32.le_u", "below-unsigned", "above-unsigned", true],
      ["i32.ge_s", "above-signed", "below-signed", true],
      ["i32.ge_u", "above-unsigned", "below-unsigned", true],
    ] as const
  ).map(([name, test, mirrored, orEqual]) => [opcodeNamed(name), { test, mirrored, orEqual }]),
);

/** The end of a loop, its last operator first; `undefined` where it is none that counts. */
export function matchEnd(steps: readonly Step[]): CountedEnd | undefined {
  const [branch, second, third] = steps;
  if (branch?.opcode !== OP.branchIf || branch.first !== 0 || branch.depth !== 1) return undefined;
  const comparison = COMPARISONS.get(second?.opcode ?? -1);
  if (comparison === undefined) {
    return countedEnd(matchStep(steps.slice(1)), "differs", { kind: "constant", value: 0 }, false);
  }
  const { test, mirrored, orEqual } = comparison;
  const right = boundOf(third);
  if (right !== undefined) return countedEnd(matchStep(steps.slice(3)), test, right, orEqual);
  // Four operators step the local; what is compared with it stands before them.
  return countedEnd(matchStep(steps.slice(2)), mirrored, boundOf(steps[6]), orEqual);
}

function boundOf(step: Step | undefined): CountedEnd["bound"] | undefined {
  if (step?.opcode === OP.constant) return { kind: "constant", value: step.value | 0 };
  return step?.opcode === OP.get ? { kind: "local", value: step.first } : undefined;
}

/** `local.get i; i32.const s; i32.add; local.tee i`, the last first. */
function matchStep([tee, sum, constant, get]: readonly Step[]):
  | { readonly local: number; readonly step: number }
  | undefined {
  if (tee?.opcode !== OP.tee || constant?.opcode !== OP.constant || get?.opcode !== OP.get)
    return undefined;
  if (get.first !== tee.first) return undefined;
  if (sum?.opcode === OP.add) return { local: tee.first, step: constant.value | 0 };
  return sum?.opcode === OP.subtract ? { local: tee.first, step: -constant.value | 0 } : undefined;
}

function countedEnd(
  counter: { readonly local: number; readonly step: number } | undefined,
  test: LoopTest,
  bound: CountedEnd["bound"] | undefined,
  orEqual: boolean,
): CountedEnd | undefined {
  if (counter === undefined || bound === undefined) return undefined;
  const { local, step } = counter;
  if (bound.kind === "local" && bound.value === local) return undefined;
  // Odd steps have an inverse modulo 2^32, so that they meet every bound.
  if (test === "differs") return (step & 1) === 0 ? undefined : { local, step, test, bound };
  const isBelow = test.startsWith("below");
  if (isBelow ? step <= 0 : step >= 0) return undefined;
  if (bound.kind === "local") {
    // A longer step might pass a bound that is not known by wrapping around, and so might the next.
    return Math.abs(step) > 1 || orEqual ? undefined : { local, step, test, bound };
  }
  const isSigned = test.endsWith("-signed");
  const value = isSigned ? bound.value : bound.value >>> 0;
  const strict = orEqual ? value + Math.sign(step) : value;
  // The last value that goes on, one step further, is still a number of 32 bits: nothing wraps.
  const farthest = strict + step - Math.sign(step);
  const [least, most] = isSigned ? [-(2 ** 31), 2 ** 31 - 1] : [0, 2 ** 32 - 1];
  if (Math.min(strict, farthest) < least || Math.max(strict, farthest) > most) return undefined;
  return { local, step, test, bound: { kind: "constant", value: strict | 0 } };
}
