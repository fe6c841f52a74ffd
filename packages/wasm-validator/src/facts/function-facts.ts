/**
 * @module One pass over all operators of a module: sizes, nesting, calls, loops, proposals, and what
 * compiling will cost. Linear in the bytes, whatever the bodies hold (hot: bench `wasm`, key
 * report_vs_v8_validate).
 */
import type { WasmModule } from "@glovebox/wasm-binary";
import { OperatorReader } from "@glovebox/wasm-binary/operators";

import {
  LISTED_FUNCTIONS,
  MIN_HASH_OPERATORS,
  MIN_HASH_SHARE,
  MIN_UNROLLED_HASH_OPERATORS,
} from "../limits.ts";
import { BlockStack } from "./block-stack.ts";
import { CallGraph } from "./call-graph.ts";
import { COMPUTES, MIXES, PROPOSAL_OF, PROPOSALS, ROLE, ROLE_OF } from "./opcode-roles.ts";

/** What is said of one function. */
export interface FunctionFacts {
  /** Index in the module, imported functions counted. */
  readonly index: number;
  /** Offset of its body. */
  readonly offset: number;
  readonly bytes: number;
  readonly operators: number;
  readonly locals: number;
  readonly nesting: number;
}

/** What is said of all functions together. */
export interface CodeFacts {
  readonly operators: number;
  /** The function with most of each, for limits; `undefined` where the module has no code. */
  readonly most: Readonly<Partial<Record<"bytes" | "locals" | "nesting" | "targets", Extreme>>>;
  /** The largest functions, largest first. */
  readonly largest: readonly FunctionFacts[];
  readonly loops: number;
  readonly endlessLoops: number;
  readonly calls: number;
  readonly indirectCalls: number;
  /** Functions that can call themselves by direct calls, and the most of them in one circle. */
  readonly recursive: { readonly functions: number; readonly largestCycle: number };
  /** Functions that mostly mix bits, in loops or very much, largest first: hashes, ciphers, proofs of work. */
  readonly hashLike: readonly FunctionFacts[];
  /** Operators, targets of `br_table`, and in each function its locals for every block. */
  readonly compileCost: number;
  /** Proposals that operators belong to. */
  readonly proposals: readonly string[];
}

/** The most of something, and the function that has it. */
export interface Extreme {
  readonly value: number;
  readonly index: number;
  readonly offset: number;
}

/** Reads all function bodies of a module that `readModule` accepted. */
export function readCode(module: WasmModule): CodeFacts {
  const { bytes, bodies, imported, functions } = module;
  const reader = new OperatorReader(bytes);
  const blocks = new BlockStack();
  const graph = new CallGraph(functions.length);
  const usedProposals = new Uint8Array(PROPOSALS.length);
  const largest = new Largest();
  const hashLike = new Largest();
  const most: Partial<Record<"bytes" | "locals" | "nesting" | "targets", Extreme>> = {};
  let total = 0;
  let loops = 0;
  let endlessLoops = 0;
  let calls = 0;
  let indirectCalls = 0;
  let cost = 0;
  for (let index = 0; index < imported.function; index += 1) graph.endFunction();

  for (let body = 0; body < bodies.length; body += 1) {
    const offset = bodies.startOf(body);
    const index = imported.function + body;
    reader.openBody(offset, bodies.endOf(body));
    blocks.begin();
    let operators = 0;
    let opened = 0;
    let targets = 0;
    let allTargets = 0;
    let computing = 0;
    let mixing = 0;
    for (let opcode = reader.next(); opcode >= 0; opcode = reader.next()) {
      operators += 1;
      usedProposals[PROPOSAL_OF[opcode] as number] = 1;
      computing += COMPUTES[opcode] as number;
      mixing += MIXES[opcode] as number;
      switch (ROLE_OF[opcode] as number) {
        case ROLE.none:
          break;
        case ROLE.open:
          opened += 1;
          blocks.open(false);
          break;
        case ROLE.tryTable:
          opened += 1;
          for (let at = 2; at < reader.listLength; at += 3) {
            blocks.branch(reader.list[at] as number, true);
          }
          blocks.open(false);
          break;
        case ROLE.loop:
          opened += 1;
          blocks.open(true);
          break;
        case ROLE.if:
          opened += 1;
          blocks.openIf();
          break;
        case ROLE.else:
          blocks.beginElse();
          break;
        case ROLE.arm:
          blocks.beginArm();
          break;
        case ROLE.end:
          blocks.end();
          break;
        case ROLE.branch:
          blocks.branch(reader.first, false);
          break;
        case ROLE.branchIf:
          blocks.branch(reader.first, true);
          break;
        case ROLE.branchTable: {
          const { list, listLength } = reader;
          targets = Math.max(targets, listLength);
          allTargets += listLength;
          for (let at = 0; at < listLength; at += 1) {
            blocks.branch(list[at] as number, at < listLength - 1);
          }
          break;
        }
        case ROLE.leave:
          blocks.leave();
          break;
        case ROLE.call:
          calls += 1;
          if (blocks.isLive) graph.add(reader.first);
          break;
        case ROLE.tailCall:
          calls += 1;
          if (blocks.isLive) graph.add(reader.first);
          blocks.leave();
          break;
        case ROLE.callIndirect:
          indirectCalls += 1;
          break;
        default:
          indirectCalls += 1;
          blocks.leave();
      }
    }
    reader.close();
    graph.endFunction();
    const facts = {
      index,
      offset,
      bytes: bodies.endOf(body) - offset,
      operators,
      locals: reader.localCount,
      nesting: blocks.deepest,
    };
    total += operators;
    loops += blocks.loops;
    endlessLoops += blocks.endlessLoops;
    cost += compileCost(operators, facts.locals, opened, allTargets);
    largest.add(facts);
    const enough = blocks.loops > 0 ? MIN_HASH_OPERATORS : MIN_UNROLLED_HASH_OPERATORS;
    if (mixing >= enough && mixing >= MIN_HASH_SHARE * computing) hashLike.add(facts);
    for (const [what, value] of [
      ["bytes", facts.bytes],
      ["locals", facts.locals],
      ["nesting", facts.nesting],
      ["targets", targets],
    ] as const) {
      if (value > (most[what]?.value ?? -1)) most[what] = { value, index, offset };
    }
  }
  return {
    operators: total,
    most,
    largest: largest.list,
    loops,
    endlessLoops,
    calls,
    indirectCalls,
    recursive: graph.recursion(),
    hashLike: hashLike.list,
    compileCost: cost,
    proposals: PROPOSALS.filter((_, index) => usedProposals[index] === 1),
  };
}

/**
 * What compiling a function costs, in units of one operator: an engine visits each operator and each
 * target of a `br_table`, and where blocks meet, a baseline compiler brings every local together.
 */
export function compileCost(
  operators: number,
  locals: number,
  blocks: number,
  targets: number,
): number {
  return operators + targets + locals * (1 + blocks);
}

/** The largest few by bytes. */
class Largest {
  readonly list: FunctionFacts[] = [];

  add(facts: FunctionFacts): void {
    const { list } = this;
    if (list.length === LISTED_FUNCTIONS && facts.bytes <= (list.at(-1)?.bytes ?? 0)) return;
    const place = list.findIndex(({ bytes }) => bytes < facts.bytes);
    list.splice(place < 0 ? list.length : place, 0, facts);
    list.length = Math.min(list.length, LISTED_FUNCTIONS);
  }
}
