/**
 * @module What is known of a module before its code is written: which functions take the fuel as a
 * parameter and give it back as a result, which need a wrapper of their old type, and who calls whom.
 */
import type { WasmModule } from "@glovebox/wasm-binary";
import { opcodeNamed, OperatorReader } from "@glovebox/wasm-binary/operators";

import type { PerBlockCalls } from "./charge/per-block.ts";
import { BASE_COSTS } from "./cost-table.ts";
import { callComponents, type CallComponents } from "./graph/call-graph.ts";
import type { IndexCheck } from "./index-check.ts";
import { MAX_LOCALS, MAX_PARAMETERS, MAX_UNCHECKED } from "./limits.ts";
import { MeteringStop } from "./metering-stop.ts";
import type { Placement } from "./options.ts";
import type { FunctionReferences } from "./rewrite/function-references.ts";

/** How fuel reaches a function. */
export const KIND = {
  /** On the global, with a charge and a check for each block: the reference. */
  perBlock: 0,
  /** As the last parameter and the last result. */
  threaded: 1,
  /** In a local that is loaded from the global and stored there. */
  root: 2,
} as const;

/** The plan of a module. */
export interface Plan extends PerBlockCalls {
  /** A value of {@link KIND} for each function that the module defines. */
  readonly kinds: Uint8Array;
  /** For each defined function the index of its wrapper, or -1. */
  readonly wrappers: Int32Array;
  /** Defined functions that have a wrapper, in the order of these. */
  readonly wrapped: readonly number[];
  readonly components: CallComponents;
  /** 1 for each defined function that checks its fuel on entry and behind each call. */
  readonly checksCalls: Uint8Array;
  /** Why the whole module is charged per block; `undefined` where it is not. */
  readonly fallback: string | undefined;
}

const OP = {
  call: opcodeNamed("call"),
  functionReference: opcodeNamed("ref.func"),
  localGet: opcodeNamed("local.get"),
  localTee: opcodeNamed("local.tee"),
} as const;

/** Operators after which fuel in a local would be lost, or that a changed type would break. */
const FALLBACKS: ReadonlyMap<number, string> = new Map(
  [
    ["the module handles exceptions", ["try", "try_table", "catch", "catch_all", "delegate"]],
    ["the module throws exceptions", ["throw", "throw_ref", "rethrow"]],
    ["the module has tail calls", ["return_call", "return_call_indirect", "return_call_ref"]],
  ].flatMap(([reason, names]) =>
    (names as string[]).map((name) => [opcodeNamed(name), reason as string]),
  ),
);

/** 1 for each opcode of {@link FALLBACKS}: looked at for every operator. */
const IS_FALLBACK = new Uint8Array(1024);
for (const opcode of FALLBACKS.keys()) IS_FALLBACK[opcode] = 1;

/** Reads every body once: checks its indices, and learns what the plan needs. */
export function planModule(
  module: WasmModule,
  check: IndexCheck,
  references: FunctionReferences,
  placement: Placement,
): Plan {
  const reader = new OperatorReader(module.bytes);
  const { bodies, imported, functions } = module;
  const count = bodies.length;
  const isTaken = new Uint8Array(functions.length);
  const isCalled = new Uint8Array(functions.length);
  const localCounts = new Uint32Array(count);
  const callees: Int32Array[] = [];
  let fallback = placement === "per-block" ? "asked for" : undefined;
  const found: number[] = [];
  const costs = new Float64Array(count);

  for (let index = 0; index < count; index++) {
    const functionIndex = imported.function + index;
    reader.openBody(bodies.startOf(index), bodies.endOf(index));
    localCounts[index] = reader.localCount;
    const locals = signatureOf(module, functionIndex).parameters.length + reader.localCount;
    found.length = 0;
    for (let opcode = reader.next(); opcode >= 0; opcode = reader.next()) {
      const isLocal = opcode >= OP.localGet && opcode <= OP.localTee;
      if (isLocal ? reader.first >= locals : !check.allows(reader, opcode)) {
        throw new MeteringStop(
          "METERING_INDEX",
          `function ${functionIndex}, at byte ${reader.offset}`,
        );
      }
      costs[index] = (costs[index] as number) + (BASE_COSTS[opcode] as number);
      if (opcode === OP.call) {
        isCalled[reader.first] = 1;
        if (reader.first >= imported.function) found.push(reader.first - imported.function);
      } else if (opcode === OP.functionReference) isTaken[reader.first] = 1;
      if (IS_FALLBACK[opcode] === 1) fallback ??= FALLBACKS.get(opcode);
    }
    if (!check.allowsTypes(reader)) {
      throw new MeteringStop(
        "METERING_INDEX",
        `function ${functionIndex} names a type that is none`,
      );
    }
    callees.push(Int32Array.from(found));
  }
  for (const { kind, index } of module.exports) if (kind === "function") isTaken[index] = 1;
  if (module.start !== undefined) isTaken[module.start] = 1;
  references.each((index) => {
    isTaken[index] = 1;
  });

  const kinds = new Uint8Array(count);
  const wrappers = new Int32Array(count).fill(-1);
  const wrapped: number[] = [];
  const planned = fallback === undefined ? count : 0;
  for (let index = 0; index < planned; index++) {
    const functionIndex = imported.function + index;
    const { parameters, results } = signatureOf(module, functionIndex);
    // With the fuel it must still be a function that the engine takes, with its temporary locals.
    const hasRoom = parameters.length + (localCounts[index] as number) + ADDED_LOCALS <= MAX_LOCALS;
    const fits = parameters.length < MAX_PARAMETERS && results.length < MAX_PARAMETERS;
    if (!hasRoom) continue;
    kinds[index] = isCalled[functionIndex] === 1 && fits ? KIND.threaded : KIND.root;
    if (kinds[index] !== KIND.threaded || isTaken[functionIndex] === 0) continue;
    wrappers[index] = functions.length + 1 + wrapped.length;
    wrapped.push(index);
  }
  const reference = (index: number): number => {
    const wrapper = wrappers[index - imported.function] ?? -1;
    return wrapper >= 0 ? wrapper : index;
  };
  const threads = (index: number): boolean => kinds[index - imported.function] === KIND.threaded;
  const components = callComponents(count, callees);
  const checksCalls = findUnchecked(costs, callees, components);
  return { kinds, wrappers, wrapped, components, checksCalls, fallback, threads, reference };
}

/**
 * Functions in which what may run between two checks adds up to too much: 40 functions that each
 * call the next one twice run 2^40 calls without a loop. Such a function checks its fuel on entry
 * and behind each call, and counts for its callers as what it costs itself.
 */
function findUnchecked(
  costs: Float64Array,
  callees: readonly Int32Array[],
  { componentOf, order }: CallComponents,
): Uint8Array {
  const checks = new Uint8Array(costs.length);
  const unchecked = new Float64Array(costs.length);
  for (const index of order) {
    let sum = costs[index] as number;
    for (const callee of callees[index] ?? []) {
      // A call within a circle is checked by itself.
      if (componentOf[callee] !== componentOf[index]) sum += unchecked[callee] as number;
    }
    if (sum > MAX_UNCHECKED) checks[index] = 1;
    unchecked[index] = checks[index] === 1 ? (costs[index] as number) : sum;
  }
  return checks;
}

/** The fuel, and a length of each type. */
const ADDED_LOCALS = 3;

/** The type of a function. */
export function signatureOf(
  { types, functions }: WasmModule,
  index: number,
): { readonly parameters: readonly number[]; readonly results: readonly number[] } {
  const type = types.at(functions[index] as number);
  if (type.kind !== "function")
    throw new MeteringStop("METERING_INDEX", `the type of function ${index}`);
  return type;
}
