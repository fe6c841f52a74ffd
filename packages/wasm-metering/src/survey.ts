/**
 * @module The first look at every body: checks its indices, and notes what a plan needs to know of
 * it, so that no later step has to ask two bodies at once.
 */
import type { WasmModule } from "@glovebox/wasm-binary";
import { opcodeNamed, OperatorReader } from "@glovebox/wasm-binary/operators";

import { BASE_COSTS, COST_TABLE, entryCost } from "./cost-table.ts";
import type { IndexCheck } from "./index-check.ts";
import { MeteringStop } from "./metering-stop.ts";

/** What a body does; several may be set. */
export const BODY = {
  /** Throws by itself. */
  throws: 1,
  /** Calls an import, or through a reference. */
  callsUnknown: 2,
  /** Calls through a table. */
  callsIndirect: 4,
  /** Has a tail call of an import, or through a table or a reference. */
  tailCallsUnknown: 8,
} as const;

/** What was found. Functions are counted without the imported ones. */
export interface Survey {
  readonly localCounts: Uint32Array;
  /** Operators behind which a node of the control flow may begin. */
  readonly splits: Uint32Array;
  /** Units of entering a body and of all its operators, each once. */
  readonly costs: Float64Array;
  /** Units of entering a body and of what runs in any case before its first branch. */
  readonly entryCosts: Float64Array;
  /** Bits of {@link BODY}. */
  readonly does: Uint8Array;
  /** Functions called directly, tail calls included; the number of functions plus the type where through a table. */
  readonly callees: readonly Int32Array[];
  /** Functions that a tail call names. */
  readonly tailCallees: readonly (readonly number[])[];
  /** 1 for each function, imported ones included, that is called directly. */
  readonly isCalled: Uint8Array;
  /** 1 for each function, imported ones included, that `ref.func` in a body names. */
  readonly isReferred: Uint8Array;
  /** Whether any body throws or handles exceptions. */
  readonly hasExceptions: boolean;
  /** Whether any body reads or writes references to functions, or calls through one. */
  readonly movesReferences: boolean;
}

const OP = {
  call: opcodeNamed("call"),
  returnCall: opcodeNamed("return_call"),
  callIndirect: opcodeNamed("call_indirect"),
  functionReference: opcodeNamed("ref.func"),
  arrayNewFixed: opcodeNamed("array.new_fixed"),
  tryTable: opcodeNamed("try_table"),
  localGet: opcodeNamed("local.get"),
  localTee: opcodeNamed("local.tee"),
} as const;

const NOTED = {
  exception: 1,
  throw: 2,
  reference: 4,
  call: 8,
  unknownCall: 16,
  tailCall: 32,
  sized: 64,
  handler: 128,
  split: 256,
  leave: 512,
};
/** Bits of {@link NOTED} for each opcode: looked up for every operator. */
const NOTES = new Uint16Array(1024);
const NAMES: readonly (readonly [number, readonly string[]])[] = [
  [NOTED.exception, ["try", "try_table", "throw", "throw_ref", "rethrow"]],
  [NOTED.sized, ["array.new_fixed", "try_table"]],
  [NOTED.handler, ["catch", "catch_all"]],
  [NOTED.throw, ["throw", "throw_ref", "rethrow"]],
  [
    NOTED.reference,
    ["ref.func", "call_ref", "return_call_ref", "table.get", "table.set", "table.grow"],
  ],
  [NOTED.reference, ["table.fill", "return_call_indirect"]],
  [NOTED.call, ["call", "return_call"]],
  [NOTED.unknownCall, ["call_ref", "return_call_ref", "return_call_indirect"]],
  [NOTED.tailCall, ["return_call_ref", "return_call_indirect"]],
  [NOTED.split, ["loop", "if", "else", "end", "catch", "catch_all", "delegate", "br_if"]],
  [NOTED.split, ["br_on_null", "br_on_non_null", "br_on_cast", "br_on_cast_fail"]],
  [NOTED.split, ["call", "call_ref", "call_indirect"]],
  [NOTED.leave, ["br", "br_table", "return", "unreachable", "try", "try_table"]],
  [NOTED.leave, ["throw", "throw_ref", "rethrow", "return_call"]],
  [NOTED.leave, ["return_call_ref", "return_call_indirect"]],
];
for (const [bit, names] of NAMES) {
  for (const name of names) NOTES[opcodeNamed(name)] = (NOTES[opcodeNamed(name)] as number) | bit;
}

/** Reads every body once. */
export function surveyBodies(module: WasmModule, check: IndexCheck): Survey {
  const reader = new OperatorReader(module.bytes);
  const { bodies, imported, functions, types } = module;
  const count = bodies.length;
  const localCounts = new Uint32Array(count);
  const splits = new Uint32Array(count);
  const costs = new Float64Array(count);
  const entryCosts = new Float64Array(count);
  const does = new Uint8Array(count);
  const callees: Int32Array[] = [];
  const tailCallees: (readonly number[])[] = [];
  const isCalled = new Uint8Array(functions.length);
  const isReferred = new Uint8Array(functions.length);
  const none: readonly number[] = [];
  let noted = 0;

  for (let index = 0; index < count; index++) {
    const functionIndex = imported.function + index;
    reader.openBody(bodies.startOf(index), bodies.endOf(index));
    const type = types.at(functions[functionIndex] as number);
    const parameters = type.kind === "function" ? type.parameters.length : 0;
    const locals = parameters + reader.localCount;
    localCounts[index] = reader.localCount;
    const called: number[] = [];
    let tailCalled: number[] | undefined;
    let cost = entryCost(reader.localCount);
    let bits = 0;
    let notes = 0;
    let nodes = 0;
    let entry = -1;
    for (let opcode = reader.next(); opcode >= 0; opcode = reader.next()) {
      const isLocal = opcode >= OP.localGet && opcode <= OP.localTee;
      if (isLocal ? reader.first >= locals : !check.allows(reader, opcode)) {
        throw new MeteringStop(
          "METERING_INDEX",
          `function ${functionIndex}, at byte ${reader.offset}`,
        );
      }
      cost += BASE_COSTS[opcode] as number;
      if (opcode === OP.callIndirect) {
        bits |= BODY.callsIndirect;
        called.push(count + reader.first);
      }
      const note = NOTES[opcode] as number;
      if (note === 0) continue;
      if (note >= NOTED.split) {
        if (entry < 0) entry = cost - (BASE_COSTS[opcode] as number);
        nodes += (note >> 8) & 1;
        if (note === NOTED.split || note === NOTED.leave) continue;
      }
      notes |= note;
      if (opcode === OP.arrayNewFixed) cost += reader.second;
      else if (opcode === OP.tryTable) cost += (COST_TABLE.perCatch * reader.listLength) / 3;
      else if ((note & NOTED.handler) !== 0) cost += COST_TABLE.perCatch;
      if (opcode === OP.functionReference) isReferred[reader.first] = 1;
      if ((note & NOTED.call) === 0) continue;
      isCalled[reader.first] = 1;
      const callee = reader.first - imported.function;
      if (callee >= 0) called.push(callee);
      else bits |= BODY.callsUnknown;
      if (opcode !== OP.returnCall) continue;
      if (callee >= 0) (tailCalled ??= []).push(callee);
      else bits |= BODY.tailCallsUnknown;
    }
    if (!check.allowsTypes(reader)) {
      throw new MeteringStop(
        "METERING_INDEX",
        `function ${functionIndex} names a type that is none`,
      );
    }
    if ((notes & NOTED.throw) !== 0) bits |= BODY.throws;
    if ((notes & NOTED.unknownCall) !== 0) bits |= BODY.callsUnknown;
    if ((notes & NOTED.tailCall) !== 0) bits |= BODY.tailCallsUnknown;
    noted |= notes;
    costs[index] = cost;
    entryCosts[index] = entry;
    splits[index] = nodes;
    does[index] = bits;
    callees.push(Int32Array.from(called));
    tailCallees.push(tailCalled ?? none);
  }
  return {
    localCounts,
    splits,
    costs,
    entryCosts,
    does,
    callees,
    tailCallees,
    isCalled,
    isReferred,
    hasExceptions: (noted & NOTED.exception) !== 0,
    movesReferences: (noted & NOTED.reference) !== 0,
  };
}
