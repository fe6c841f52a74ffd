/**
 * @module Charging at the start of each node of the control flow, on the global and with a check:
 * the reference that every other placement must equal, and what a function falls back to. It needs
 * no analysis but the graph, changes no type, and holds whatever the function does: a charge comes
 * before what it pays for, and the global says at any moment what is left.
 */
import type { ControlFlow } from "../graph/control-flow.ts";
import { EVENT } from "../graph/flow-tables.ts";
import type { BodyContext } from "../rewrite/body-context.ts";
import {
  type LengthLocals,
  lengthPrice,
  writeKeepLength,
  writeUnits,
} from "../rewrite/length-charge.ts";
import { I32, I64 } from "../rewrite/type-pool.ts";

/** Writes the body of the function whose graph is `flow`, from its locals to its last `end`. */
export function writePerBlock(flow: ControlFlow, context: BodyContext): void {
  const { code, module, fuelGlobal } = context;
  const lengths = reserveLengths(flow, context);
  const wrapsLabel = flow.branchesToBody;

  code.block();
  code.bytes.byte(0x40);
  if (wrapsLabel) {
    code.block();
    context.types.writeBlockType(code.bytes, context.results);
  }
  context.startAt(flow.codeStart);
  for (let event = 0; event < flow.event.kind.length; event++) {
    const kind = flow.event.kind.at(event);
    if (kind !== EVENT.node && kind !== EVENT.length) continue;
    context.copyTo(flow.event.position.at(event));
    const nesting = flow.event.nesting.at(event);
    if (kind === EVENT.node) {
      const cost = flow.node.cost.at(flow.event.first.at(event));
      if (cost === 0) continue;
      code.index("globalGet", fuelGlobal);
      code.i64(cost);
    } else {
      const price = lengthPrice(
        module,
        flow.event.first.at(event),
        flow.event.second.at(event),
        flow.event.third.at(event),
      );
      writeKeepLength(code, price, lengths);
      code.index("globalGet", fuelGlobal);
      writeUnits(code, price, lengths);
    }
    code.op("subtract");
    code.index("globalSet", fuelGlobal);
    code.index("globalGet", fuelGlobal);
    code.i64(0);
    code.op("lessThan");
    code.index("brIf", nesting + (wrapsLabel ? 1 : 0));
  }
  context.copyTo(flow.codeEnd - 1);
  if (wrapsLabel) code.op("end");
  code.op("return");
  code.op("end");
  code.index("globalGet", fuelGlobal);
  code.index("call", context.outOfFuel);
  code.op("unreachable");
  code.op("end");
}

/** Writes the function's locals, with two for lengths where it needs them. */
function reserveLengths(flow: ControlFlow, context: BodyContext): LengthLocals {
  const needsLengths = hasEvent(flow, EVENT.length);
  const narrow = context.parameters.length + flow.localCount;
  context.writeLocals(needsLengths ? [I32, I64] : []);
  return { narrow, wide: narrow + 1 };
}

function hasEvent(flow: ControlFlow, kind: number): boolean {
  for (let event = 0; event < flow.event.kind.length; event++) {
    if (flow.event.kind.at(event) === kind) return true;
  }
  return false;
}
