/**
 * @module What entering a function costs is paid by who calls it, in one sum with what the caller
 * costs there (metering R3): small functions then have no charge of their own. Functions are written
 * callees first; one in a circle of calls, or whose caller was written before it, pays for itself.
 * A function in a closed table leaves its callers what every function of its type costs at least.
 */
import type { WasmModule } from "@glovebox/wasm-binary";

import { firstTypes } from "../closed-tables.ts";
import type { CallComponents } from "../graph/call-graph.ts";
import type { ControlFlow } from "../graph/control-flow.ts";
import { EVENT } from "../graph/flow-tables.ts";

/** Units that a caller takes over: of functions that call the next one twice the sum doubles each time. */
const MAX_ABSORBED = 2_000;
const UNDECIDED = -1;

/** What is known of the module's functions. */
export interface AbsorptionFacts {
  /** Whether the callee at this index takes and gives fuel. */
  readonly threads: (callee: number) => boolean;
  /** Whether calls through tables take and give fuel. */
  readonly threadsTables: boolean;
  /** 1 for each function, imported ones included, that stands in a closed table. */
  readonly isElement: Uint8Array;
  readonly components: CallComponents;
}

/** Decides for one function after the other what its callers pay. */
export class Absorption {
  readonly #imported: number;
  readonly #facts: AbsorptionFacts;
  /** For each defined function. */
  readonly #units: Float64Array;
  /** For each type. */
  readonly #ofType: Float64Array;

  /** `entryCosts` are units that each defined function costs in any case, before its first branch. */
  constructor(
    { bodies, functions, imported, types }: WasmModule,
    facts: AbsorptionFacts,
    entryCosts: Float64Array,
  ) {
    this.#imported = imported.function;
    this.#facts = facts;
    this.#units = new Float64Array(bodies.length).fill(UNDECIDED);
    this.#ofType = new Float64Array(types.length);
    const { componentOf } = facts.components;
    const sizes = new Int32Array(componentOf.length);
    for (const component of componentOf) sizes[component] = (sizes[component] as number) + 1;
    for (let index = 0; index < bodies.length; index++) {
      if ((sizes[componentOf[index] as number] as number) > 1) this.#units[index] = 0;
    }
    if (!facts.threadsTables) return;
    const first = firstTypes(types);
    const least = new Float64Array(types.length).fill(Number.POSITIVE_INFINITY);
    for (let index = 0; index < functions.length; index++) {
      if (facts.isElement[index] === 0) continue;
      const type = first[functions[index] as number] as number;
      // What stands for a function of another kind in a table pays nothing.
      const units = facts.threads(index) ? (entryCosts[index - imported.function] as number) : 0;
      least[type] = Math.min(least[type] as number, units, MAX_ABSORBED);
    }
    for (let type = 0; type < types.length; type++) {
      const units = least[first[type] as number] as number;
      this.#ofType[type] = units === Number.POSITIVE_INFINITY ? 0 : units;
    }
    for (let index = imported.function; index < functions.length; index++) {
      if (facts.isElement[index] === 0) continue;
      this.#units[index - imported.function] = this.#ofType[functions[index] as number] as number;
    }
  }

  /** Adds to each node what the functions called there leave to it. */
  pay({ event, node }: ControlFlow, isThreaded: boolean): void {
    for (let at = 0; at < event.kind.length; at++) {
      const caller = event.second.at(at);
      const kind = event.kind.at(at);
      if (caller < 0) continue;
      let units = 0;
      if (kind === EVENT.call) units = this.unitsOf(event.first.at(at));
      // Who has its fuel on the global goes on as the wrapper of what it calls, which pays.
      else if (kind === EVENT.tailCall && isThreaded) units = this.unitsOf(event.first.at(at));
      else if (kind === EVENT.unknownCall && event.first.at(at) >= 0) {
        units = this.#ofType[event.first.at(at)] as number;
      }
      if (units > 0) node.cost.set(caller, node.cost.at(caller) + units);
    }
  }

  /** Takes from the function's own charge what its callers pay. To be called once all charges are placed. */
  leave({ node }: ControlFlow, index: number): void {
    const cost = node.cost.at(0);
    if (this.#units[index] === UNDECIDED) this.#units[index] = cost <= MAX_ABSORBED ? cost : 0;
    node.cost.set(0, cost - (this.#units[index] as number));
  }

  /** What a caller pays for the function at this index: from then on it is decided. */
  unitsOf(callee: number): number {
    if (callee < 0 || !this.#facts.threads(callee)) return 0;
    const index = callee - this.#imported;
    if (this.#units[index] === UNDECIDED) this.#units[index] = 0;
    return this.#units[index] as number;
  }
}
