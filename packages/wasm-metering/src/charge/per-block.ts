/**
 * @module Charging at the start of each node of the control flow, on the global and with a check:
 * the reference that every other placement must equal, and what a function falls back to. It needs
 * no analysis but the graph, changes no type, and holds whatever the function does: a charge comes
 * before what it pays for, and the global says at any moment what is left.
 */
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

/** What a function that is charged per block needs of the others. */
export interface PerBlockCalls {
  /** Whether the callee at this index takes and gives fuel. */
  readonly threads: (callee: number) => boolean;
  /** The function that stands for another where it is called by its old type. */
  readonly reference: (index: number) => number;
}

/** Writes the body of the function whose graph is `flow`, from its locals to its last `end`. */
export function writePerBlock(flow: ControlFlow, context: BodyContext, calls: PerBlockCalls): void {
  const { code, module, fuelGlobal } = context;
  const { lengths, depth } = reserveLocals(flow, context);
  const wrapsLabel = flow.branchesToBody;

  code.block();
  code.bytes.byte(0x40);
  if (wrapsLabel) {
    code.block();
    context.types.writeBlockType(code.bytes, context.results);
  }
  depth.enter();
  context.startAt(flow.codeStart);
  for (let event = 0; event < flow.event.kind.length; event++) {
    const { position, kind, first, second, third, nesting } = flow.event;
    switch (kind.at(event)) {
      case EVENT.node: {
        const cost = flow.node.cost.at(first.at(event));
        if ((flow.node.flags.at(first.at(event)) & NODE.handler) !== 0) {
          context.copyTo(position.at(event));
          depth.restore();
        }
        if (cost === 0) break;
        context.copyTo(position.at(event));
        code.index("globalGet", fuelGlobal);
        code.i64(cost);
        pay(context, nesting.at(event) + (wrapsLabel ? 1 : 0));
        break;
      }
      case EVENT.length: {
        const price = lengthPrice(module, first.at(event), second.at(event), third.at(event));
        context.copyTo(position.at(event));
        writeKeepLength(code, price, lengths);
        code.index("globalGet", fuelGlobal);
        writeUnits(code, price, lengths);
        pay(context, nesting.at(event) + (wrapsLabel ? 1 : 0));
        break;
      }
      case EVENT.call:
      case EVENT.unknownCall: {
        const threads = kind.at(event) === EVENT.call && calls.threads(first.at(event));
        if (!threads && context.depth === undefined) break;
        context.copyTo(position.at(event));
        depth.raise();
        if (threads) giveFuel(context);
        context.copyTo(third.at(event));
        if (threads) code.index("globalSet", fuelGlobal);
        depth.restore();
        break;
      }
      case EVENT.tailCall: {
        const callee = first.at(event);
        if (callee < 0 || !calls.threads(callee)) break;
        context.copyTo(position.at(event));
        context.replaceTailCall(calls.reference(callee), third.at(event));
        break;
      }
      case EVENT.functionReference: {
        const reference = calls.reference(second.at(event));
        if (reference === second.at(event)) break;
        context.copyTo(first.at(event));
        code.bytes.unsigned(reference);
        context.startAt(third.at(event));
        break;
      }
      default:
    }
  }
  context.copyTo(flow.codeEnd - 1);
  if (wrapsLabel) code.op("end");
  if (flow.catchesToBody) depth.restore();
  code.op("return");
  code.op("end");
  code.index("globalGet", fuelGlobal);
  code.index("call", context.outOfFuel);
  code.op("unreachable");
  code.op("end");
}

/** Subtracts what is on the stack, from what is below it, and leaves when nothing is left. */
function pay({ code, fuelGlobal }: BodyContext, exit: number): void {
  code.op("subtract");
  code.index("globalSet", fuelGlobal);
  code.index("globalGet", fuelGlobal);
  code.i64(0);
  code.op("lessThan");
  code.index("brIf", exit);
}

/** Passes the fuel to a function that takes it; a trap there must not leave it on the global. */
function giveFuel({ code, fuelGlobal }: BodyContext): void {
  code.index("globalGet", fuelGlobal);
  code.i64(-1);
  code.index("globalSet", fuelGlobal);
}

/** Writes the function's locals, with two for lengths and one for the depth where it needs them. */
function reserveLocals(
  flow: ControlFlow,
  context: BodyContext,
): { readonly lengths: LengthLocals; readonly depth: CallDepth } {
  const narrow = context.parameters.length + flow.localCount;
  const lengths = hasLengths(flow) ? ([I32, I64] as const) : [];
  const depth = new CallDepth(flow, context, narrow + lengths.length);
  context.writeLocals([...lengths, ...depth.locals]);
  return { lengths: { narrow, wide: narrow + 1 }, depth };
}

/** Whether an operator is charged by a length, for which two locals are needed. */
export function hasLengths(flow: ControlFlow): boolean {
  for (let event = 0; event < flow.event.kind.length; event++) {
    if (flow.event.kind.at(event) === EVENT.length) return true;
  }
  return false;
}
