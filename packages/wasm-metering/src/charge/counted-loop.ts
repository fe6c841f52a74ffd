/**
 * @module Loops that are charged once, before they begin: a local goes by a step to a bound, which is
 * the only way out, and what each turn costs in any case is known (metering R5). What costs more in
 * some turns only is charged in its place.
 */
import { opcodeNamed, type OperatorReader } from "@glovebox/wasm-binary/operators";

import type { ControlFlow } from "../graph/control-flow.ts";
import { NODE } from "../graph/flow-tables.ts";
import type { Code } from "../rewrite/code.ts";
import { type CountedEnd, LONGEST_END, matchEnd, type Step } from "./loop-test.ts";

/** A loop whose local goes from what it is, by `step`, until the bound ends it. */
export interface CountedLoop extends CountedEnd {
  /** Units of each turn. */
  readonly cost: number;
}

/** A turn that costs more is charged turn by turn: 2^32 of these stay far below a budget. */
const MAX_TURN_COST = 0xff_ffff;
/** Places in a turn that are charged and checked for themselves: with more there is nothing to gain. */
const MAX_ARMS = 2;
const OP = { set: opcodeNamed("local.set"), tee: opcodeNamed("local.tee") } as const;

/** The counted loop that `loop` is, or `undefined`. `reader` reads the code of the function. */
export function findCountedLoop(
  flow: ControlFlow,
  loop: number,
  reader: OperatorReader,
): CountedLoop | undefined {
  const header = flow.loop.header.at(loop);
  if (header < 0 || !hasOneWayOut(flow, loop, header)) return undefined;
  const cost = flow.node.cost.at(header);
  if (cost === 0 || cost > MAX_TURN_COST) return undefined;

  const writes = new Map<number, number>();
  let window: Step[] = [];
  reader.open(flow.node.position.at(header), flow.loop.end.at(loop));
  for (let opcode = reader.next(); opcode >= 0; opcode = reader.next()) {
    // Behind the branch there is only the loop's end.
    if (reader.depth === 0) break;
    if (opcode === OP.set || opcode === OP.tee) {
      writes.set(reader.first, (writes.get(reader.first) ?? 0) + 1);
    }
    window.push({ opcode, first: reader.first, value: reader.low, depth: reader.depth });
    if (window.length > 2 * LONGEST_END) window = window.slice(-LONGEST_END);
  }
  const found = matchEnd(window.toReversed());
  if (found === undefined || writes.get(found.local) !== 1) return undefined;
  if (found.bound.kind === "local" && writes.has(found.bound.value)) return undefined;
  return { ...found, cost };
}

/**
 * Whether every turn goes from the header to the one branch back, at the loop's end, with no loop in
 * it and no call: what is left of the fuel would be seen there.
 */
function hasOneWayOut(
  { node, edge, loop: loops }: ControlFlow,
  loop: number,
  header: number,
): boolean {
  const end = loops.end.at(loop);
  const { cost, flags, position, loop: loopOf } = node;
  let behind = header;
  let arms = 0;
  while (behind < cost.length && position.at(behind) < end - 1) {
    const bits = flags.at(behind);
    if (loopOf.at(behind) !== loop || (bits & (NODE.calls | NODE.exit)) !== 0) return false;
    if ((bits & NODE.handler) !== 0) return false;
    if (behind !== header && cost.at(behind) > 0 && ++arms > MAX_ARMS) return false;
    behind++;
  }
  // The place behind the branch back, in which nothing happens.
  if (behind >= cost.length || behind === header) return false;
  if (position.at(behind) !== end - 1 || loopOf.at(behind) !== loop || cost.at(behind) !== 0)
    return false;
  if ((flags.at(behind) & (NODE.back | NODE.exit | NODE.trap | NODE.handler)) !== 0) return false;
  if (behind + 1 < cost.length && position.at(behind + 1) < end) return false;
  const last = edge.source.at(node.firstIn.at(behind));
  if (edge.nextIn.at(node.firstIn.at(behind)) >= 0) return false;
  for (let index = header; index < behind; index++) {
    if (((flags.at(index) & NODE.back) !== 0) !== (index === last)) return false;
    for (let at = node.firstOut.at(index); at >= 0; at = edge.nextOut.at(at)) {
      if (edge.target.at(at) > behind) return false;
    }
  }
  return true;
}

/** Writes how often the loop runs, as an i64; `movedIndex` says where a local of the original is. */
export function writeTurns(
  code: Code,
  { local, step, test, bound }: CountedLoop,
  movedIndex: (local: number) => number,
): void {
  const writeBound = (): void => {
    if (bound.kind === "constant") code.i32(bound.value);
    else code.index("localGet", movedIndex(bound.value));
  };
  if (test === "differs") {
    // ((bound - local) / step - 1 modulo 2^32) + 1
    writeBound();
    code.index("localGet", movedIndex(local));
    code.op("narrowSubtract");
    if (step !== 1) {
      code.i32(inverse(step));
      code.op("narrowMultiply");
    }
    code.i32(1);
    code.op("narrowSubtract");
    code.op("extend");
  } else {
    // The first turn runs in any case; of the rest the distance to the bound tells, if the test holds.
    const writeFirst = (): void => {
      code.index("localGet", movedIndex(local));
      code.i32(step);
      code.op("narrowAdd");
    };
    const [greater, less] = step > 0 ? [writeBound, writeFirst] : [writeFirst, writeBound];
    greater();
    less();
    code.op("narrowSubtract");
    writeFirst();
    writeBound();
    code.op(COMPARE[test]);
    code.op("narrowMultiply");
    code.op("extend");
    const size = Math.abs(step);
    if (size > 1) {
      code.i64(size - 1);
      code.op("add");
      code.i64(size);
      code.op("divide");
    }
  }
  code.i64(1);
  code.op("add");
}

const COMPARE = {
  "below-signed": "narrowLessSigned",
  "below-unsigned": "narrowLess",
  "above-signed": "narrowGreaterSigned",
  "above-unsigned": "narrowGreater",
} as const;

/** The number that, times an odd `value`, is 1 modulo 2^32 (Newton's iteration). */
function inverse(value: number): number {
  let guess = value;
  for (let turn = 0; turn < 5; turn++) guess = Math.imul(guess, 2 - Math.imul(value, guess));
  return guess | 0;
}
