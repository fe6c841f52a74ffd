/** @module The code section of the metered module, and the functions and types added for it. */
import { SECTION, type WasmModule } from "@glovebox/wasm-binary";
import { OperatorReader } from "@glovebox/wasm-binary/operators";
import { ByteWriter } from "@glovebox/wasm-binary/write";

import { Absorption } from "./charge/absorb.ts";
import { type CountedLoop, findCountedLoop } from "./charge/counted-loop.ts";
import { ChargeMerger } from "./charge/merge.ts";
import { hasLengths, writePerBlock } from "./charge/per-block.ts";
import { writeThreaded } from "./charge/threaded.ts";
import { writeAdapter, writeWrapper } from "./charge/wrapper.ts";
import { ControlFlow } from "./graph/control-flow.ts";
import { EVENT, NODE } from "./graph/flow-tables.ts";
import { MAX_BODY_BYTES, MAX_LOCALS } from "./limits.ts";
import type { MeteringFallback } from "./metered-module.ts";
import { MeteringStop } from "./metering-stop.ts";
import { OffsetMapBuilder } from "./offset-map.ts";
import { KIND, type Plan, signatureOf } from "./plan.ts";
import { BodyContext, type ModuleContext } from "./rewrite/body-context.ts";
import { Code } from "./rewrite/code.ts";
import { I64, TypePool } from "./rewrite/type-pool.ts";

/** What was written. */
export interface WrittenCode {
  /** Content of the code section. */
  readonly content: Uint8Array;
  readonly types: TypePool;
  /** The type index of each function that is not imported. */
  readonly functionTypes: readonly number[];
  readonly map: OffsetMapBuilder;
  /** Bytes of `content` that hold the original's functions. */
  readonly mappedBytes: number;
  readonly fuelGlobal: number;
  readonly fallbacks: readonly MeteringFallback[];
}

/** Writes every body with its charges, the wrappers, and the function that ends a call without fuel. */
export function writeCode(
  module: WasmModule,
  plan: Plan,
  entryCosts: Float64Array,
  maxCallDepth: number | undefined,
): WrittenCode {
  const types = new TypePool(module);
  const map = new OffsetMapBuilder();
  const depth =
    maxCallDepth === undefined
      ? undefined
      : { global: module.globals.length, maximum: maxCallDepth };
  const fuelGlobal = module.globals.length + (depth === undefined ? 0 : 1);
  const outOfFuel = module.functions.length;
  const shared: ModuleContext = { module, types, fuelGlobal, outOfFuel, depth };
  const content = new ByteWriter(Math.ceil(1.5 * codeBytes(module)) + 64);
  content.unsigned(module.bodies.length + 1 + plan.wrapped.length + plan.adapted.length);
  const absorption = new Absorption(module, plan, entryCosts);
  const bodies = new BodyPlacement(shared, plan, absorption);
  const fallbacks: MeteringFallback[] = [];
  if (plan.fallback !== undefined) fallbacks.push({ function: -1, reason: plan.fallback });

  const written: WrittenBody[] = [];
  // Callees first; behind the functions the order has types, which are called through tables.
  for (const index of plan.components.order) {
    if (index < module.bodies.length) written[index] = bodies.write(index);
  }
  for (const [index, { bytes, runs, reason }] of written.entries()) {
    const functionIndex = module.imported.function + index;
    if (reason !== undefined) fallbacks.push({ function: functionIndex, reason });
    append(content, bytes, functionIndex);
    map.addBody(content.length - bytes.length, runs);
  }
  const mappedBytes = content.length;
  const body = new ByteWriter(64);
  writeOutOfFuel(new Code(body), fuelGlobal);
  append(content, body.finish(), outOfFuel);
  const addedFunctions = [types.functionType([I64], [])];
  for (const index of plan.wrapped) {
    const functionIndex = module.imported.function + index;
    body.clear();
    writeWrapper(
      new BodyContext(shared, signatureOf(module, functionIndex), body, 0),
      functionIndex,
      absorption.unitsOf(functionIndex),
    );
    append(content, body.finish(), functionIndex);
    addedFunctions.push(module.functions[functionIndex] as number);
  }
  for (const index of plan.adapted) {
    const { parameters, results } = signatureOf(module, index);
    body.clear();
    writeAdapter(new BodyContext(shared, { parameters, results }, body, 0), index);
    append(content, body.finish(), index);
    addedFunctions.push(types.threadedType(parameters, results));
  }
  const functionTypes = Array.from(plan.kinds, (kind, index) => {
    const functionIndex = module.imported.function + index;
    if (kind !== KIND.threaded) return module.functions[functionIndex] as number;
    const { parameters, results } = signatureOf(module, functionIndex);
    return types.threadedType(parameters, results);
  });
  return {
    content: content.finish(),
    types,
    functionTypes: [...functionTypes, ...addedFunctions],
    map,
    mappedBytes,
    fuelGlobal,
    fallbacks,
  };
}

/** A body; `reason` says why it is charged per block though the module is not. */
interface WrittenBody {
  readonly bytes: Uint8Array;
  readonly runs: readonly number[];
  readonly reason: string | undefined;
}

/** Writes one body after the other in the way that the plan chose. */
class BodyPlacement {
  readonly #shared: ModuleContext;
  readonly #plan: Plan;
  readonly #absorption: Absorption;
  readonly #reader: OperatorReader;
  readonly #flow = new ControlFlow();
  readonly #merger = new ChargeMerger();
  readonly #bytes = new ByteWriter(4_096);

  constructor(shared: ModuleContext, plan: Plan, absorption: Absorption) {
    this.#shared = shared;
    this.#absorption = absorption;
    this.#plan = plan;
    this.#reader = new OperatorReader(shared.module.bytes);
  }

  write(index: number): WrittenBody {
    const kind = this.#plan.kinds[index] as number;
    if (kind === KIND.perBlock) {
      const isAlone = this.#plan.fallback === undefined;
      const { runs } = this.#perBlock(index);
      const reason = isAlone ? this.#plan.reason(index) : undefined;
      return { bytes: this.#bytes.finish(), runs, reason };
    }
    const context = this.#open(index);
    this.#flagRecursion(index);
    this.#absorption.pay(this.#flow, kind === KIND.threaded);
    this.#merger.merge(this.#flow);
    if (kind === KIND.threaded) this.#absorption.leave(this.#flow, index);
    writeThreaded(this.#flow, context, {
      isThreaded: kind === KIND.threaded,
      checksCalls: this.#plan.checksCalls[index] === 1,
      checksCall: (event, first) => {
        const callee = this.#calleeOf(event, first);
        return callee < 0 || this.#plan.checksCall(index, callee);
      },
      threads: this.#plan.threads,
      threadsTables: this.#plan.threadsTables,
      reference: this.#plan.reference,
      counted: this.#countedLoops(),
    });
    return { bytes: this.#bytes.finish(), runs: context.runs, reason: undefined };
  }

  #countedLoops(): ReadonlyMap<number, CountedLoop> {
    const counted = new Map<number, CountedLoop>();
    for (let loop = 0; loop < this.#flow.loop.header.length; loop++) {
      const found = findCountedLoop(this.#flow, loop, this.#reader);
      if (found !== undefined) counted.set(loop, found);
    }
    return counted;
  }

  #perBlock(index: number): BodyContext {
    const context = this.#open(index);
    const added = (hasLengths(this.#flow) ? 2 : 0) + (context.depth === undefined ? 0 : 1);
    const locals = context.parameters.length + this.#flow.localCount;
    if (added > 0 && locals + added > MAX_LOCALS) {
      const functionIndex = this.#shared.module.imported.function + index;
      throw new MeteringStop(
        "METERING_LIMIT",
        `function ${functionIndex} has too many locals to add ${added}`,
      );
    }
    this.#absorption.pay(this.#flow, false);
    writePerBlock(this.#flow, context, this.#plan);
    return context;
  }

  /** Builds the graph of a body and begins a new one. */
  #open(index: number): BodyContext {
    const { module } = this.#shared;
    const { bodies, imported } = module;
    const signature = signatureOf(module, imported.function + index);
    this.#reader.openBody(bodies.startOf(index), bodies.endOf(index));
    const isMoved = this.#plan.kinds[index] === KIND.threaded && this.#reader.localCount > 0;
    this.#flow.build(this.#reader, isMoved ? signature.parameters.length : -1, this.#plan);
    this.#bytes.clear();
    return new BodyContext(this.#shared, signature, this.#bytes, bodies.startOf(index));
  }

  /** Marks nodes that call what may call this function again. */
  #flagRecursion(index: number): void {
    const { event, node } = this.#flow;
    const { componentOf } = this.#plan.components;
    for (let at = 0; at < event.kind.length; at++) {
      const caller = event.second.at(at);
      if (caller < 0) continue;
      const callee = this.#calleeOf(event.kind.at(at), event.first.at(at));
      if (callee < 0 || componentOf[callee] !== componentOf[index]) continue;
      node.flags.set(caller, node.flags.at(caller) | NODE.recursion);
    }
  }

  /** The node of the call graph that an event calls; below zero where it calls none of the module's. */
  #calleeOf(kind: number, first: number): number {
    const { imported, bodies } = this.#shared.module;
    if (kind === EVENT.call || kind === EVENT.tailCall) return first - imported.function;
    const isThrough = kind === EVENT.unknownCall && first >= 0 && this.#plan.threadsTables;
    return isThrough ? bodies.length + first : -1;
  }
}

/** Stores the fuel one lower than it is, so that it is never the poison, and traps. */
function writeOutOfFuel(code: Code, fuelGlobal: number): void {
  code.bytes.byte(0);
  code.index("localGet", 0);
  code.i64(1);
  code.op("subtract");
  code.index("globalSet", fuelGlobal);
  code.op("unreachable");
  code.op("end");
}

function append(content: ByteWriter, body: Uint8Array, functionIndex: number): void {
  if (body.length > MAX_BODY_BYTES) {
    throw new MeteringStop(
      "METERING_LIMIT",
      `function ${functionIndex} becomes ${body.length} bytes long`,
    );
  }
  content.unsigned(body.length);
  content.copy(body, 0, body.length);
}

function codeBytes({ sections }: WasmModule): number {
  const code = sections.find(({ id }) => id === SECTION.code);
  return code === undefined ? 0 : code.end - code.start;
}
