/**
 * @module Fuel in a local instead of the global: it comes in as the last parameter and goes out as
 * the last result (`threaded`), or is loaded from the global and stored there (`root`). While it is
 * in a local the global holds -1, so that a trap, after which nothing is stored, leaves no fuel
 * behind; it holds what is left whenever the host or a function of another kind runs (metering R4,
 * R6, R7).
 */
import { tableIndexAt } from "../closed-tables.ts";
import type { ControlFlow } from "../graph/control-flow.ts";
import { EVENT, NODE } from "../graph/flow-tables.ts";
import type { BodyContext } from "../rewrite/body-context.ts";
import {
  type LengthLocals,
  lengthPrice,
  writeKeepLength,
  writeUnits,
} from "../rewrite/length-charge.ts";
import { I32, I64 } from "../rewrite/type-pool.ts";
import { CallDepth } from "./call-depth.ts";
import { type CountedLoop, writeTurns } from "./counted-loop.ts";
import { POISON } from "./wrapper.ts";

/** A charge this large is checked where it is made. */
const CHECKED_CHARGE = 4_096;

/** What is written for one function. */
export interface ThreadedBody {
  readonly isThreaded: boolean;
  /** Whether the fuel is checked on entry and behind calls: what may run unchecked adds up to too much. */
  readonly checksCalls: boolean;
  /** Whether behind a call, if behind any; an event's kind and what it calls. */
  readonly checksCall: (event: number, callee: number) => boolean;
  /** Whether the callee at this index takes and gives fuel. */
  readonly threads: (callee: number) => boolean;
  /** Whether calls through tables take and give fuel. */
  readonly threadsTables: boolean;
  /** The function that stands for another where it is called by its old type. */
  readonly reference: (index: number) => number;
  /** Counted loops by their number in the graph: charged before they begin. */
  readonly counted: ReadonlyMap<number, CountedLoop>;
}

/** Whether the fuel is checked at a node. */
function isChecked({ node }: ControlFlow, index: number, checksEntry: boolean): boolean {
  const flags = node.flags.at(index);
  return (
    (flags & (NODE.turn | NODE.recursion)) !== 0 ||
    (checksEntry && (flags & NODE.entry) !== 0) ||
    node.cost.at(index) >= CHECKED_CHARGE
  );
}

/** Writes the body of the function whose graph is `flow`. */
export function writeThreaded(flow: ControlFlow, context: BodyContext, body: ThreadedBody): void {
  new BodyWriter(flow, context, body).write();
}

class BodyWriter {
  readonly #flow: ControlFlow;
  readonly #context: BodyContext;
  readonly #body: ThreadedBody;
  readonly #fuel: number;
  readonly #moved: number;
  readonly #lengths: LengthLocals;
  readonly #temporaries: readonly (typeof I32 | typeof I64)[];
  readonly #depth: CallDepth;
  readonly #hasChecks: boolean;
  readonly #wrapsLabel: boolean;
  readonly #checksEntry: boolean;
  /** Whether a place is reached by exceptions and otherwise. */
  readonly #sharesHandler: boolean;

  constructor(flow: ControlFlow, context: BodyContext, body: ThreadedBody) {
    this.#flow = flow;
    this.#context = context;
    this.#body = body;
    const parameters = context.parameters.length;
    const last = parameters + flow.localCount;
    this.#fuel = body.isThreaded ? parameters : last;
    // The parameter takes the index of the first local, which moves behind the others.
    this.#moved = last;
    this.#lengths = { narrow: last + 1, wide: last + 2 };
    this.#checksEntry = !body.isThreaded || body.checksCalls;
    const hasLengths = this.#some((event) => flow.event.kind.at(event) === EVENT.length);
    const hasTemporaries =
      hasLengths ||
      (body.threadsTables &&
        this.#some((event) => flow.event.kind.at(event) === EVENT.unknownCall));
    const temporaries = hasTemporaries ? ([I32, I64] as const) : [];
    this.#depth = new CallDepth(flow, context, last + 1 + temporaries.length);
    this.#temporaries = [...temporaries, ...this.#depth.locals];
    this.#hasChecks =
      !body.isThreaded || hasLengths || this.#some((event) => this.#checksAt(event));
    this.#wrapsLabel = flow.branchesToBody;
    this.#sharesHandler = flow.catchesToBody || this.#some((event) => this.#isSharedHandler(event));
  }

  write(): void {
    const { code } = this.#context;
    const { isThreaded } = this.#body;
    if (isThreaded) this.#context.writeShiftedLocals(this.#temporaries);
    else this.#context.writeLocals([I64, ...this.#temporaries]);
    if (!isThreaded) this.#load();
    if (this.#hasChecks) this.#open([]);
    if (this.#wrapsLabel) this.#open(this.#context.results);
    this.#depth.enter();
    this.#context.startAt(this.#flow.codeStart);
    for (let event = 0; event < this.#flow.event.kind.length; event++) this.#write(event);
    this.#context.copyTo(this.#flow.codeEnd - 1);
    if (this.#wrapsLabel) code.op("end");
    if (this.#flow.catchesToBody) this.#catch(true);
    this.#leave(0);
    if (this.#hasChecks) {
      code.op("return");
      code.op("end");
      code.index("localGet", this.#fuel);
      code.index("call", this.#context.outOfFuel);
      code.op("unreachable");
    }
    code.op("end");
  }

  #write(event: number): void {
    const { position, kind, first, second, third } = this.#flow.event;
    switch (kind.at(event)) {
      case EVENT.node:
        return this.#node(event);
      case EVENT.length:
        return this.#length(event);
      case EVENT.call:
        return this.#call(event);
      case EVENT.unknownCall:
        if (this.#body.threadsTables) return this.#tableCall(event);
        this.#context.copyTo(position.at(event));
        this.#store(this.#exitFrom(event));
        this.#depth.raise();
        this.#context.copyTo(third.at(event));
        this.#depth.restore();
        return this.#load();
      case EVENT.return:
        this.#context.copyTo(position.at(event));
        return this.#leave(this.#exitFrom(event));
      case EVENT.tailCall:
        return this.#tailCall(event);
      case EVENT.throw:
        this.#context.copyTo(position.at(event));
        return this.#store(this.#exitFrom(event));
      case EVENT.local:
        if (!this.#body.isThreaded) return;
        return this.#replace(first.at(event), third.at(event), this.#moved);
      case EVENT.functionReference: {
        const index = second.at(event);
        const reference = this.#body.reference(index);
        if (reference !== index) this.#replace(first.at(event), third.at(event), reference);
        return;
      }
      case EVENT.loop: {
        const counted = this.#body.counted.get(first.at(event));
        if (counted !== undefined) this.#chargeAhead(event, counted);
        return;
      }
      default:
    }
  }

  #node(event: number): void {
    const { code } = this.#context;
    const node = this.#flow.event.first.at(event);
    if (this.#isCountedHeader(node)) return;
    if ((this.#flow.node.flags.at(node) & NODE.handler) !== 0) {
      this.#context.copyTo(this.#flow.event.position.at(event));
      this.#catch(this.#flow.node.firstIn.at(node) >= 0);
    }
    const cost = this.#flow.node.cost.at(node);
    // In a loop that was charged ahead no header looks at what is left.
    const isInCounted = cost > 0 && this.#body.counted.has(this.#flow.node.loop.at(node));
    const checks = isInCounted || isChecked(this.#flow, node, this.#checksEntry);
    if (cost === 0 && !checks) return;
    this.#context.copyTo(this.#flow.event.position.at(event));
    code.index("localGet", this.#fuel);
    if (cost > 0) {
      code.i64(cost);
      code.op("subtract");
      code.index(checks ? "localTee" : "localSet", this.#fuel);
    }
    if (checks) this.#trapBelowZero(this.#exitFrom(event));
  }

  #isCountedHeader(node: number): boolean {
    const { flags, loop } = this.#flow.node;
    return (flags.at(node) & NODE.loop) !== 0 && this.#body.counted.has(loop.at(node));
  }

  /** Turns times units of one. */
  #chargeAhead(event: number, counted: CountedLoop): void {
    const { code } = this.#context;
    this.#context.copyTo(this.#flow.event.position.at(event));
    code.index("localGet", this.#fuel);
    writeTurns(code, counted, (local) => this.#movedIndex(local));
    code.i64(counted.cost);
    code.op("multiply");
    code.op("subtract");
    code.index("localTee", this.#fuel);
    this.#trapBelowZero(this.#exitFrom(event));
  }

  #movedIndex(local: number): number {
    const isMoved = this.#body.isThreaded && local === this.#context.parameters.length;
    return isMoved ? this.#moved : local;
  }

  #length(event: number): void {
    const { code, module } = this.#context;
    const { position, first, second, third } = this.#flow.event;
    const price = lengthPrice(module, first.at(event), second.at(event), third.at(event));
    this.#context.copyTo(position.at(event));
    writeKeepLength(code, price, this.#lengths);
    code.index("localGet", this.#fuel);
    writeUnits(code, price, this.#lengths);
    code.op("subtract");
    code.index("localTee", this.#fuel);
    this.#trapBelowZero(this.#exitFrom(event));
  }

  #call(event: number): void {
    const { position, first, third } = this.#flow.event;
    const threads = this.#body.threads(first.at(event));
    this.#context.copyTo(position.at(event));
    if (threads) this.#give();
    else this.#store(this.#exitFrom(event));
    this.#depth.raise();
    this.#context.copyTo(third.at(event));
    if (threads) this.#take(event);
    else this.#load();
    this.#depth.restore();
  }

  /** A call through a table whose functions take fuel: it goes below the place in the table. */
  #tableCall(event: number): void {
    const { code, module, types } = this.#context;
    const { position, first, third } = this.#flow.event;
    const type = module.types.at(first.at(event));
    if (type.kind !== "function") throw new TypeError("a call of what is no function");
    this.#context.copyTo(position.at(event));
    code.index("localSet", this.#lengths.narrow);
    this.#give();
    this.#depth.raise();
    code.index("localGet", this.#lengths.narrow);
    code.index("callIndirect", types.threadedType(type.parameters, type.results));
    this.#context.startAt(tableIndexAt(module.bytes, position.at(event)));
    this.#context.copyTo(third.at(event));
    this.#take(event);
    this.#depth.restore();
  }

  /** Takes the fuel that a function gave back. */
  #take(event: number): void {
    const { code } = this.#context;
    const { kind, first } = this.#flow.event;
    const checks = this.#body.checksCalls && this.#body.checksCall(kind.at(event), first.at(event));
    code.index(checks ? "localTee" : "localSet", this.#fuel);
    if (checks) this.#trapBelowZero(this.#exitFrom(event));
  }

  /** The frame goes: what is called in its place gives the fuel to this function's caller. */
  #tailCall(event: number): void {
    const { position, first, third } = this.#flow.event;
    const callee = first.at(event);
    this.#context.copyTo(position.at(event));
    if (this.#body.isThreaded) return this.#context.code.index("localGet", this.#fuel);
    this.#store(this.#exitFrom(event));
    if (callee < 0) return;
    this.#context.replaceTailCall(this.#body.reference(callee), third.at(event));
  }

  /**
   * Behind an exception the fuel is on the global, where who threw it left it. A place that is also
   * reached otherwise tells by the poison; see {@link #forget}.
   */
  #catch(isShared: boolean): void {
    const { code, fuelGlobal } = this.#context;
    this.#depth.restore();
    if (!isShared) return this.#load();
    code.index("globalGet", fuelGlobal);
    code.i64(POISON);
    code.op("notEqual");
    code.ifEmpty();
    this.#load();
    code.op("end");
  }

  /** Puts the fuel on the stack for a function that takes it. */
  #give(): void {
    this.#context.code.index("localGet", this.#fuel);
    this.#forget();
  }

  /**
   * An exception may find the poison on the global, left there by a trap that the host swallowed;
   * then the local must not be right.
   */
  #forget(): void {
    if (!this.#sharesHandler) return;
    this.#context.code.i64(POISON);
    this.#context.code.index("localSet", this.#fuel);
  }

  /** Ends the call when the fuel on the stack is below zero; `exit` is the label that does. */
  #trapBelowZero(exit: number): void {
    const { code } = this.#context;
    code.i64(0);
    code.op("lessThan");
    code.index("brIf", exit);
  }

  #exitFrom(event: number): number {
    return this.#flow.event.nesting.at(event) + (this.#wrapsLabel ? 1 : 0);
  }

  #checksAt(event: number): boolean {
    const { kind, first } = this.#flow.event;
    if (kind.at(event) === EVENT.throw) return true;
    if (kind.at(event) === EVENT.unknownCall) {
      return this.#body.checksCalls || !this.#body.threadsTables;
    }
    if (kind.at(event) === EVENT.loop) return this.#body.counted.has(first.at(event));
    if (kind.at(event) === EVENT.call) {
      return this.#body.checksCalls || !this.#body.threads(first.at(event));
    }
    return (
      kind.at(event) === EVENT.node && isChecked(this.#flow, first.at(event), this.#checksEntry)
    );
  }

  #isSharedHandler(event: number): boolean {
    const { kind, first } = this.#flow.event;
    if (kind.at(event) !== EVENT.node) return false;
    const { flags, firstIn } = this.#flow.node;
    const node = first.at(event);
    return (flags.at(node) & NODE.handler) !== 0 && firstIn.at(node) >= 0;
  }

  /** Puts the fuel where the caller looks for it. */
  #leave(exit: number): void {
    if (this.#body.isThreaded) this.#context.code.index("localGet", this.#fuel);
    else this.#store(exit);
  }

  /** Stores the fuel for the host or another function, which neither sees nor spends a debt. */
  #store(exit: number): void {
    const { code, fuelGlobal } = this.#context;
    code.index("localGet", this.#fuel);
    this.#trapBelowZero(exit);
    code.index("localGet", this.#fuel);
    code.index("globalSet", fuelGlobal);
    this.#forget();
  }

  #load(): void {
    const { code, fuelGlobal } = this.#context;
    code.index("globalGet", fuelGlobal);
    code.index("localSet", this.#fuel);
    code.i64(POISON);
    code.index("globalSet", fuelGlobal);
  }

  #open(results: readonly number[]): void {
    const { code, types } = this.#context;
    code.block();
    types.writeBlockType(code.bytes, results);
  }

  /** Writes an index in the place of another. */
  #replace(start: number, end: number, index: number): void {
    this.#context.copyTo(start);
    this.#context.code.bytes.unsigned(index);
    this.#context.startAt(end);
  }

  #some(has: (event: number) => boolean): boolean {
    for (let event = 0; event < this.#flow.event.kind.length; event++) {
      if (has(event)) return true;
    }
    return false;
  }
}
