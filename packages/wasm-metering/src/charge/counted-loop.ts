/**
 * @module Loops that are charged once, before they begin: straight code that steps a local to a
 * bound and is tested at its end, as compilers write counting loops (metering R5). How often it runs
 * follows from the local, the step and the bound. Only odd steps: they meet every bound, since they
 * have an inverse modulo 2^32, so that the loop ends and the charge is exact.
 */
import { opcodeNamed, type OperatorReader } from "@glovebox/wasm-binary/operators";

import { HAS_LENGTH } from "../cost-table.ts";
import type { ControlFlow } from "../graph/control-flow.ts";
import { NODE } from "../graph/flow-tables.ts";

/** A loop whose local goes from what it is, by `step`, until it equals the bound. */
export interface CountedLoop {
  readonly local: number;
  /** Odd. */
  readonly step: number;
  /** A constant, or the index of a local that the loop does not write. */
  readonly bound: { readonly kind: "constant" | "local"; readonly value: number };
  /** Units of one turn. */
  readonly cost: number;
}

/** A turn that costs more is charged turn by turn: 2^32 of these stay far below a budget. */
const MAX_TURN_COST = 0xff_ffff;
const OP = {
  get: opcodeNamed("local.get"),
  set: opcodeNamed("local.set"),
  tee: opcodeNamed("local.tee"),
  constant: opcodeNamed("i32.const"),
  add: opcodeNamed("i32.add"),
  subtract: opcodeNamed("i32.sub"),
  notEqual: opcodeNamed("i32.ne"),
  branchIf: opcodeNamed("br_if"),
} as const;
/** Operators of the longest pattern, its branch included. */
const WINDOW = 8;

/** The counted loop that `loop` is, or `undefined`. `reader` reads the code of the function. */
export function findCountedLoop(
  flow: ControlFlow,
  loop: number,
  reader: OperatorReader,
): CountedLoop | undefined {
  const header = flow.loop.header.at(loop);
  if (header < 0 || !isStraight(flow, loop, header)) return undefined;
  const cost = flow.node.cost.at(header);
  if (cost === 0 || cost > MAX_TURN_COST) return undefined;

  const start = flow.node.position.at(header);
  const writes = new Map<number, number>();
  let window: Step[] = [];
  reader.open(start, flow.loop.end.at(loop));
  for (let opcode = reader.next(); opcode >= 0; opcode = reader.next()) {
    if (HAS_LENGTH[opcode] === 1) return undefined;
    // Behind the branch there is only the loop's end.
    if (reader.depth === 0) break;
    if (opcode === OP.set || opcode === OP.tee) {
      writes.set(reader.first, (writes.get(reader.first) ?? 0) + 1);
    }
    window.push({ opcode, first: reader.first, value: reader.low, depth: reader.depth });
    if (window.length > 2 * WINDOW) window = window.slice(-WINDOW);
  }
  const found = match(window.toReversed());
  if (found === undefined || writes.get(found.local) !== 1) return undefined;
  if (found.bound.kind === "local" && writes.has(found.bound.value)) return undefined;
  return { ...found, cost };
}

/** Whether the loop is its header and the place behind its one branch back, and calls nothing. */
function isStraight({ node, loop: loops }: ControlFlow, loop: number, header: number): boolean {
  const behind = header + 1;
  if (behind >= node.cost.length) return false;
  const flags = node.flags.at(header);
  return (
    node.loop.at(behind) === loop &&
    node.cost.at(behind) === 0 &&
    (node.flags.at(behind) & (NODE.back | NODE.exit | NODE.trap)) === 0 &&
    (behind + 1 >= node.cost.length ||
      (node.loop.at(behind + 1) !== loop && node.position.at(behind + 1) >= loops.end.at(loop))) &&
    (flags & NODE.back) !== 0 &&
    (flags & (NODE.calls | NODE.handler)) === 0
  );
}

interface Step {
  readonly opcode: number;
  readonly first: number;
  readonly value: number;
  readonly depth: number;
}

/** Matches the end of the loop, its last operator first. */
function match(steps: readonly Step[]): Omit<CountedLoop, "cost"> | undefined {
  const [branch, second, third] = steps;
  if (branch?.opcode !== OP.branchIf || branch.first !== 0 || branch.depth !== 1) return undefined;
  const zero = { kind: "constant", value: 0 } as const;
  if (second?.opcode !== OP.notEqual) return withBound(matchStep(steps.slice(1)), zero);
  if (third?.opcode === OP.constant) {
    return withBound(matchStep(steps.slice(3)), { kind: "constant", value: third.value });
  }
  if (third?.opcode === OP.get) {
    return withBound(matchStep(steps.slice(3)), { kind: "local", value: third.first });
  }
  const before = steps[6];
  if (before?.opcode !== OP.get) return undefined;
  return withBound(matchStep(steps.slice(2)), { kind: "local", value: before.first });
}

/** `local.get i; i32.const s; i32.add; local.tee i`, the last first. */
function matchStep([tee, sum, constant, get]: readonly Step[]):
  | { readonly local: number; readonly step: number }
  | undefined {
  if (tee?.opcode !== OP.tee || constant?.opcode !== OP.constant || get?.opcode !== OP.get)
    return undefined;
  if (get.first !== tee.first || (constant.value & 1) === 0) return undefined;
  if (sum?.opcode === OP.add) return { local: tee.first, step: constant.value | 0 };
  return sum?.opcode === OP.subtract ? { local: tee.first, step: -constant.value | 0 } : undefined;
}

function withBound(
  step: { readonly local: number; readonly step: number } | undefined,
  bound: CountedLoop["bound"],
): Omit<CountedLoop, "cost"> | undefined {
  if (step === undefined || (bound.kind === "local" && bound.value === step.local))
    return undefined;
  return { ...step, bound };
}

/** The number that, times an odd `value`, is 1 modulo 2^32 (Newton's iteration). */
export function inverse(value: number): number {
  let guess = value;
  for (let turn = 0; turn < 5; turn++) guess = Math.imul(guess, 2 - Math.imul(value, guess));
  return guess | 0;
}
