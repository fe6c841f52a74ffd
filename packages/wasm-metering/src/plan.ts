/**
 * @module What is known of a module before its code is written: which functions take the fuel as a
 * parameter and give it back as a result, which need a wrapper of their old type, who calls whom and
 * whose calls may throw.
 */
import type { WasmModule } from "@glovebox/wasm-binary";

import { firstTypes, hasClosedTables } from "./closed-tables.ts";
import { callComponents, type CallComponents } from "./graph/call-graph.ts";
import type { CallFacts } from "./graph/control-flow.ts";
import {
  MAX_CIRCULAR_CALLS,
  MAX_LOCALS,
  MAX_NODES,
  MAX_SHORT_CALLS,
  MAX_THREADED_VALUES,
  MAX_UNCHECKED,
} from "./limits.ts";
import { MeteringStop } from "./metering-stop.ts";
import type { Placement } from "./options.ts";
import type { FunctionReferences } from "./rewrite/function-references.ts";
import { BODY, type Survey } from "./survey.ts";

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
export interface Plan extends CallFacts {
  /** A value of {@link KIND} for each function that the module defines. */
  readonly kinds: Uint8Array;
  /** Defined functions that have a wrapper, in the order of these. */
  readonly wrapped: readonly number[];
  readonly components: CallComponents;
  /** 1 for each defined function that checks its fuel on entry and behind calls. */
  readonly checksCalls: Uint8Array;
  /** Whether such a function does so behind a call of what the node stands for in the call graph. */
  readonly checksCall: (caller: number, node: number) => boolean;
  /** Why the whole module is charged per block; `undefined` where it is not. */
  readonly fallback: string | undefined;
  /** Why a function that is charged per block is, though the module is not. */
  readonly reason: (index: number) => string;
  /** Whether the callee at this index takes and gives fuel. */
  readonly threads: (callee: number) => boolean;
  /** The function that stands for another where it is called by its old type. */
  readonly reference: (index: number) => number;
  /** Whether calls through tables take and give fuel. */
  readonly threadsTables: boolean;
  /** 1 for each function, imported ones included, that stands in a closed table. */
  readonly isElement: Uint8Array;
  /** The function that stands for another in a table. */
  readonly element: (index: number) => number;
  /** Functions in tables that do not take fuel by themselves, in the order of what stands for them. */
  readonly adapted: readonly number[];
}

/** Who calls whom: functions, and behind them a node for each type that is called through a table. */
interface Calls {
  readonly callees: readonly Int32Array[];
  /** Bits of {@link BODY}. */
  readonly does: Uint8Array;
}

/** Decides how each function is charged. */
export function planModule(
  module: WasmModule,
  survey: Survey,
  references: FunctionReferences,
  placement: Placement,
): Plan {
  const { imported, functions } = module;
  const count = module.bodies.length;
  const kinds = new Uint8Array(count);
  const isElement = new Uint8Array(functions.length);
  const mayThread = placement === "merged" && hasClosedTables(module, survey, references);
  if (mayThread) {
    references.each((index, isInTable) => {
      if (isInTable) isElement[index] = 1;
    });
  }
  if (placement === "merged") chooseKinds(module, survey, isElement, kinds);
  // A function that is charged per block has no local to spare for the place in the table.
  const isStuck = (kind: number, index: number): boolean =>
    kind === KIND.perBlock && ((survey.does[index] as number) & BODY.callsIndirect) !== 0;
  const threadsTables = mayThread && !kinds.some(isStuck);
  const calls = callsOf(module, survey, threadsTables ? isElement : undefined);

  const isTaken = survey.isReferred.slice();
  for (const { kind, index } of module.exports) if (kind === "function") isTaken[index] = 1;
  if (module.start !== undefined) isTaken[module.start] = 1;
  references.each((index, isInTable) => {
    if (!isInTable || !threadsTables) isTaken[index] = 1;
  });
  // Whoever has its fuel on the global leaves it there for what it goes on as.
  for (const [index, callees] of survey.tailCallees.entries()) {
    if (kinds[index] === KIND.threaded) continue;
    for (const callee of callees) isTaken[imported.function + callee] = 1;
  }

  const wrappers = new Int32Array(count).fill(-1);
  const wrapped: number[] = [];
  for (let index = 0; index < count; index++) {
    if (kinds[index] !== KIND.threaded || isTaken[imported.function + index] === 0) continue;
    wrappers[index] = functions.length + 1 + wrapped.length;
    wrapped.push(index);
  }
  const adapters = new Map<number, number>();
  for (let index = 0; index < functions.length; index++) {
    if (
      !threadsTables ||
      isElement[index] === 0 ||
      kinds[index - imported.function] === KIND.threaded
    )
      continue;
    adapters.set(index, functions.length + 1 + wrapped.length + adapters.size);
  }
  const reference = (index: number): number => {
    const wrapper = wrappers[index - imported.function] ?? -1;
    return wrapper >= 0 ? wrapper : index;
  };
  const components = callComponents(calls.does.length, calls.callees);
  const mayThrow = survey.hasExceptions ? findThrowing(calls, components) : undefined;
  return {
    kinds,
    wrapped,
    components,
    ...findUnchecked(calls, survey.costs, components),
    fallback: placement === "merged" ? undefined : "asked for",
    reason: (index) =>
      (survey.splits[index] as number) > MAX_NODES ? "too many branches" : "too many locals",
    threads: (index) => kinds[index - imported.function] === KIND.threaded,
    reference,
    threadsTables,
    isElement,
    element: threadsTables ? (index) => adapters.get(index) ?? index : reference,
    adapted: [...adapters.keys()],
    mayThrow: (callee) => {
      if (mayThrow === undefined) return false;
      if (callee < -1) return mayThrow[count - 2 - callee] === 1;
      return callee < imported.function || mayThrow[callee - imported.function] === 1;
    },
  };
}

/**
 * A function is threaded where others call it directly and its new type is short enough. One that goes
 * on as another by a tail call has to give what that gives, and is threaded only where that is.
 */
function chooseKinds(
  module: WasmModule,
  survey: Survey,
  isElement: Uint8Array,
  kinds: Uint8Array,
): void {
  const { imported } = module;
  const callersByTail = new Map<number, number[]>();
  const demoted: number[] = [];
  for (const [index, callees] of survey.tailCallees.entries()) {
    for (const callee of callees) {
      const callers = callersByTail.get(callee);
      if (callers === undefined) callersByTail.set(callee, [index]);
      else callers.push(index);
    }
  }
  for (let index = 0; index < kinds.length; index++) {
    const { parameters, results } = signatureOf(module, imported.function + index);
    const locals = parameters.length + (survey.localCounts[index] as number);
    const fits = Math.max(parameters.length, results.length) <= MAX_THREADED_VALUES;
    const leaves = ((survey.does[index] as number) & BODY.tailCallsUnknown) !== 0;
    const functionIndex = imported.function + index;
    const isCalled = survey.isCalled[functionIndex] === 1 || isElement[functionIndex] === 1;
    // With the fuel it must still be a function that the engine takes, with its temporary locals.
    const isLarge = (survey.splits[index] as number) > MAX_NODES;
    if (locals + ADDED_LOCALS > MAX_LOCALS || isLarge) kinds[index] = KIND.perBlock;
    else kinds[index] = isCalled && fits && !leaves ? KIND.threaded : KIND.root;
    if (kinds[index] !== KIND.threaded && callersByTail.has(index)) demoted.push(index);
  }
  for (const index of demoted) {
    for (const caller of callersByTail.get(index) ?? []) {
      if (kinds[caller] !== KIND.threaded) continue;
      kinds[caller] = KIND.root;
      demoted.push(caller);
    }
  }
}

/** Calls through tables lead to what is in them where that is known, and else anywhere. */
function callsOf(
  { bodies, types, functions, imported }: WasmModule,
  survey: Survey,
  isElement: Uint8Array | undefined,
): Calls {
  const count = bodies.length;
  const does = new Uint8Array(count + types.length);
  does.set(survey.does);
  if (isElement === undefined) {
    does.fill(BODY.callsUnknown, count);
    return { callees: survey.callees, does };
  }
  const first = firstTypes(types);
  const targets = Array.from(first, (): number[] => []);
  for (let type = 0; type < types.length; type++) {
    if (first[type] !== type) targets[type]?.push(count + (first[type] as number));
  }
  for (let index = 0; index < functions.length; index++) {
    if (isElement[index] === 0) continue;
    const type = first[functions[index] as number] as number;
    if (index >= imported.function) targets[type]?.push(index - imported.function);
    else does[count + type] = BODY.callsUnknown;
  }
  return { callees: [...survey.callees, ...targets.map((list) => Int32Array.from(list))], does };
}

/** Functions out of which an exception may come, one of the host's included. */
function findThrowing(
  { does, callees }: Calls,
  { componentOf, order }: CallComponents,
): Uint8Array {
  const mayThrow = new Uint8Array(componentOf.length);
  const throws = new Uint8Array(componentOf.length);
  const unknown = BODY.throws | BODY.callsUnknown;
  for (const index of order) {
    const component = componentOf[index] as number;
    if (((does[index] as number) & unknown) !== 0) throws[component] = 1;
    for (const callee of callees[index] ?? []) {
      if (throws[componentOf[callee] as number] === 1) throws[component] = 1;
    }
  }
  for (let index = 0; index < mayThrow.length; index++) {
    mayThrow[index] = throws[componentOf[index] as number] as number;
  }
  return mayThrow;
}

/**
 * Functions in which what may run between two checks adds up to too much: 40 functions that each
 * call the next one twice run 2^40 calls without a loop. Such a function checks its fuel on entry
 * and behind its calls but the shortest, and counts for its callers as what these and it cost.
 */
function findUnchecked(
  { callees }: Calls,
  costs: Float64Array,
  { componentOf, order }: CallComponents,
): Pick<Plan, "checksCalls" | "checksCall"> {
  const checksCalls = new Uint8Array(costs.length);
  const shortest = new Float64Array(costs.length);
  const unchecked = new Float64Array(componentOf.length);
  for (const index of order) {
    const isType = index >= costs.length;
    const own = isType ? 0 : (costs[index] as number);
    const lengths: number[] = [];
    let circular = 0;
    let sum = own;
    for (const callee of callees[index] ?? []) {
      // Of the calls through a table one takes place. What a circle goes on with is checked, but not
      // each call of one that comes back at once.
      if (componentOf[callee] === componentOf[index]) {
        circular++;
        continue;
      }
      const more = unchecked[callee] as number;
      sum = isType ? Math.max(sum, more) : sum + more;
      if (!isType) lengths.push(more);
    }
    unchecked[index] = sum;
    if (isType || (sum <= MAX_UNCHECKED && circular <= MAX_CIRCULAR_CALLS)) continue;
    checksCalls[index] = 1;
    const short = shortCalls(lengths);
    shortest[index] = short.longest;
    unchecked[index] = own + short.sum;
  }
  return {
    checksCalls,
    checksCall: (caller, node) =>
      componentOf[node] === componentOf[caller] ||
      (unchecked[node] as number) > (shortest[caller] as number),
  };
}

/** How long calls may be that all of them together stay short, and their sum. */
function shortCalls(lengths: number[]): { readonly longest: number; readonly sum: number } {
  lengths.sort((one, other) => one - other);
  let longest = 0;
  let sum = 0;
  for (let at = 0; at < lengths.length;) {
    const length = lengths[at] as number;
    let behind = at;
    while (lengths[behind] === length) behind++;
    if (sum + length * (behind - at) > MAX_SHORT_CALLS) break;
    sum += length * (behind - at);
    longest = length;
    at = behind;
  }
  return { longest, sum };
}

/** The fuel, a length of each type, and the depth. */
const ADDED_LOCALS = 4;

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
