/**
 * @module Calls counted by their depth, for a host to whom where recursion ends must not depend on the
 * machine: the engine's own stack ends it by frame sizes that differ. A global holds the depth of what
 * runs. Whoever calls raises it before and puts it back behind, from a local that it read on entry;
 * whoever is called only looks. So returns, branches out and tail calls need nothing, and what an
 * exception left is put right where it is caught. Wrappers do not count.
 */
import type { ControlFlow } from "../graph/control-flow.ts";
import { EVENT } from "../graph/flow-tables.ts";
import { TOO_DEEP } from "../metered-module.ts";
import type { BodyContext } from "../rewrite/body-context.ts";
import { I32 } from "../rewrite/type-pool.ts";

/** What one body writes to count its calls; nothing where they are not counted. */
export class CallDepth {
  readonly #context: BodyContext;
  readonly #local: number;
  readonly #calls: boolean;

  /** `local` is the index of the local that {@link locals} asks for. */
  constructor(flow: ControlFlow, context: BodyContext, local: number) {
    this.#context = context;
    this.#local = local;
    this.#calls = context.depth !== undefined && hasCalls(flow);
  }

  /** Locals that the body needs for it: one where it calls. */
  get locals(): readonly (typeof I32)[] {
    return this.#calls ? [I32] : [];
  }

  /** Traps where the function is one too many. */
  enter(): void {
    const { code, depth } = this.#context;
    if (depth === undefined) return;
    code.index("globalGet", depth.global);
    if (this.#calls) code.index("localTee", this.#local);
    code.i32(depth.maximum);
    code.op("narrowAtLeast");
    code.ifEmpty();
    code.i32(TOO_DEEP);
    code.index("globalSet", depth.global);
    code.op("unreachable");
    code.op("end");
  }

  /** Before a call; what it takes may be on the stack. */
  raise(): void {
    const { code, depth } = this.#context;
    if (depth === undefined || !this.#calls) return;
    code.index("localGet", this.#local);
    code.i32(1);
    code.op("narrowAdd");
    code.index("globalSet", depth.global);
  }

  /** Behind a call, and where an exception is caught. */
  restore(): void {
    const { code, depth } = this.#context;
    if (depth === undefined || !this.#calls) return;
    code.index("localGet", this.#local);
    code.index("globalSet", depth.global);
  }
}

function hasCalls({ event: { kind } }: ControlFlow): boolean {
  for (let event = 0; event < kind.length; event++) {
    if (kind.at(event) === EVENT.call || kind.at(event) === EVENT.unknownCall) return true;
  }
  return false;
}
