/**
 * @module Judges a program: the engine's plain run against the interpreter's, and both placements
 * of metering against the plain run and the interpreter's count.
 */
import { createHash } from "node:crypto";

import { fuelUse, type MeteringOptions } from "@glovebox/wasm-metering";

import { metered } from "../run-module.ts";
import { Interpreter, Thrown } from "./interpreter.ts";
import { GLOBALS } from "./module-shape.ts";
import { Trap, type Value } from "./numeric.ts";

/** What can be seen of a run. */
interface Seen {
  /** Results, `trap` or `exception`. */
  readonly outcome: string;
  /** The engine's message for a trap. */
  readonly message: string;
  /** Memory, globals, and which elements of the table are null. */
  readonly state: string;
}

interface Metered extends Seen {
  readonly used: bigint;
  readonly isExact: boolean;
  readonly depth: number;
}

const BUDGET = 2n ** 62n;
const GIVEN = [11, -7n] as const;
const maxCallDepth = 1_000_000;
const PLACEMENTS: readonly MeteringOptions[] = [
  {},
  { placement: "per-block" },
  { maxCallDepth },
  { placement: "per-block", maxCallDepth },
];

/** What is wrong with how the module of a program is metered, or `undefined`. */
export function problemOf(
  bytes: Uint8Array<ArrayBuffer>,
  isInterpreted: boolean,
): string | undefined {
  const plain = runPlainly(bytes);
  const runs = PLACEMENTS.map((options) => runMetered(bytes, options));
  for (const [index, { outcome, message, state, depth }] of runs.entries()) {
    const which = PLACEMENTS[index]?.placement ?? "merged";
    if (outcome !== plain.outcome || message !== plain.message)
      return `${which}: ${plain.outcome} ${plain.message} became ${outcome} ${message}`;
    if (state !== plain.state) return `${which}: another memory, table or global`;
    if (depth !== 0 && outcome !== "trap" && outcome !== "exception")
      return `${which}: came back at depth ${depth}`;
  }
  const [merged, reference] = runs as [Metered, Metered];
  const interpreted = isInterpreted ? interpret(bytes) : undefined;
  if (interpreted !== undefined) {
    if (interpreted.outcome !== plain.outcome)
      return `interpreted ${interpreted.outcome} instead of ${plain.outcome}`;
    if (interpreted.state !== plain.state) return "interpreted: another memory, table or global";
  }
  const expected = interpreted?.used ?? reference.used;
  for (const { used, isExact } of runs) {
    const mayExceed = plain.outcome === "trap";
    const isRight = mayExceed ? used >= expected : isExact && used === expected;
    if (!isRight)
      return `counted ${runs.map((run) => run.used).join(" and ")} instead of ${expected} (${plain.outcome})`;
  }
  const isEqual =
    plain.outcome === "trap" ? merged.used >= reference.used : merged.used === reference.used;
  return isEqual ? undefined : `counted ${merged.used}, the reference ${reference.used}`;
}

function runPlainly(bytes: Uint8Array<ArrayBuffer>): Seen {
  return see(new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports);
}

function runMetered(bytes: Uint8Array<ArrayBuffer>, options: MeteringOptions): Metered {
  const module = metered(bytes, options);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes));
  const fuel = exports[module.fuelExport] as { value: bigint };
  fuel.value = BUDGET;
  const seen = see(exports);
  const depth = module.depthExport && (exports[module.depthExport] as { value: number }).value;
  const { used, exact } = fuelUse(BUDGET, fuel.value);
  return { ...seen, used, isExact: exact, depth: depth || 0 };
}

function see(exports: WebAssembly.Instance["exports"]): Seen {
  let outcome: string;
  let message = "";
  try {
    outcome = String((exports["run"] as (...given: readonly unknown[]) => unknown)(...GIVEN));
  } catch (error) {
    outcome = error instanceof WebAssembly.RuntimeError ? "trap" : "exception";
    message = outcome === "trap" ? String(error) : "";
  }
  const { buffer } = exports["memory"] as WebAssembly.Memory;
  const globals = GLOBALS.map(
    (_, index) => (exports[`g${index}`] as { readonly value: Value }).value,
  );
  const table = exports["table"] as
    | { readonly length: number; get(index: number): unknown }
    | undefined;
  const isNull =
    table && Array.from({ length: table.length }, (_, index) => table.get(index) === null);
  return { outcome, message, state: stateOf(new Uint8Array(buffer), globals, isNull) };
}

function interpret(bytes: Uint8Array): Seen & { readonly used: bigint } {
  const interpreter = new Interpreter(bytes);
  const { store } = interpreter;
  let outcome: string;
  try {
    outcome = textOf(interpreter.call(0, GIVEN)[0] ?? null);
  } catch (error) {
    if (!(error instanceof Trap) && !(error instanceof Thrown)) throw error;
    outcome = error instanceof Trap ? "trap" : "exception";
  }
  const isNull = store.hasExportedTable
    ? store.table.map((element) => element === null)
    : undefined;
  return {
    outcome,
    message: "",
    state: stateOf(store.memory, store.globals, isNull),
    used: interpreter.units,
  };
}

function stateOf(
  memory: Uint8Array,
  globals: readonly Value[],
  isNull: readonly boolean[] | undefined,
): string {
  const digest = createHash("sha256").update(memory).digest("hex");
  const texts = globals.map(textOf);
  return [digest, memory.length, ...texts, isNull?.join() ?? ""].join(" ");
}

function textOf(value: Value): string {
  if (typeof value === "object") return "reference";
  return Object.is(value, -0) ? "-0" : String(value);
}
