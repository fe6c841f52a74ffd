/** @module Functions that stand between those that take fuel and those that have it on the global. */
import type { BodyContext } from "../rewrite/body-context.ts";
import { I64 } from "../rewrite/type-pool.ts";

/** What the global holds while the fuel is in a local: a trap leaves it there. */
export const POISON = -1;

/**
 * Writes a function of the old type around a threaded one, for exports, tables and references: it
 * takes the fuel from the global, pays the `units` that callers pay, and puts it back.
 */
export function writeWrapper(context: BodyContext, inner: number, units: number): void {
  const { code, fuelGlobal, parameters } = context;
  const fuel = parameters.length;
  code.bytes.byte(1);
  code.declareLocal(I64);
  code.index("globalGet", fuelGlobal);
  if (units > 0) {
    code.i64(units);
    code.op("subtract");
  }
  code.index("localTee", fuel);
  trapBelowZero(context, fuel);
  code.i64(POISON);
  code.index("globalSet", fuelGlobal);
  for (let parameter = 0; parameter <= fuel; parameter++) code.index("localGet", parameter);
  code.index("call", inner);
  code.index("localTee", fuel);
  trapBelowZero(context, fuel);
  code.index("localGet", fuel);
  code.index("globalSet", fuelGlobal);
  code.op("end");
}

/** Writes a function that takes fuel around one that has it on the global, for closed tables. */
export function writeAdapter(context: BodyContext, inner: number): void {
  const { code, fuelGlobal, parameters } = context;
  const fuel = parameters.length;
  code.bytes.byte(0);
  code.index("localGet", fuel);
  trapBelowZero(context, fuel);
  code.index("localGet", fuel);
  code.index("globalSet", fuelGlobal);
  for (let parameter = 0; parameter < fuel; parameter++) code.index("localGet", parameter);
  code.index("call", inner);
  code.index("globalGet", fuelGlobal);
  code.i64(POISON);
  code.index("globalSet", fuelGlobal);
  code.op("end");
}

function trapBelowZero({ code, outOfFuel }: BodyContext, fuel: number): void {
  code.i64(0);
  code.op("lessThan");
  code.ifEmpty();
  code.index("localGet", fuel);
  code.index("call", outOfFuel);
  code.op("unreachable");
  code.op("end");
}
