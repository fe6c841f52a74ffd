/**
 * @module How much of everything a module may have. The defaults are the implementation-defined limits
 * of the WebAssembly JavaScript interface (W3C, appendix "Implementation-defined Limits"), which all
 * browsers and V8 share, except where a reason is given; a policy makes them tighter.
 */
import { allow, type Decision, refuse } from "@glovebox/core/decision";

import { WasmError } from "../errors.ts";
import type { Extreme } from "../facts/function-facts.ts";
import type { Bounds, CountedThing, ModuleFacts } from "../facts/module-facts.ts";

/** Every limit, by name. */
export interface StructureLimits {
  /** Types. Default: 1,000,000. */
  readonly types: number;
  /** Functions, imported ones counted. Default: 1,000,000. */
  readonly functions: number;
  /** Tables. Default: 100,000. */
  readonly tables: number;
  /** Memories. Default: 100. */
  readonly memories: number;
  /** Globals. Default: 1,000,000. */
  readonly globals: number;
  /** Tags. Default: 1,000,000. */
  readonly tags: number;
  /** Element segments. Default: 100,000, as data segments; the interface allows 10,000,000. */
  readonly elementSegments: number;
  /** Elements of all segments together. Default: 10,000,000. */
  readonly elements: number;
  /** Data segments. Default: 100,000. */
  readonly dataSegments: number;
  /** Bytes of all custom sections together. Default: 1 GiB, the size of a module. */
  readonly customBytes: number;
  /** Parameters of a function type. Default: 1,000. */
  readonly parameters: number;
  /** Results of a function type. Default: 1,000. */
  readonly results: number;
  /** Fields of a struct type. Default: 10,000. */
  readonly fields: number;
  /** Bytes of a function body. Default: 7,654,321. */
  readonly bodyBytes: number;
  /** Locals that a function declares. Default: 50,000. */
  readonly locals: number;
  /** Blocks inside each other. Default: 50,000; the interface has no limit, an engine's stack has. */
  readonly nesting: number;
  /** Targets of a `br_table`. Default: 65,520, V8's own limit. */
  readonly branchTargets: number;
  /** Pages of 64 KiB that a memory begins with. Default: 65,536. */
  readonly memoryPages: number;
  /** Elements that a table begins with. Default: 10,000,000. */
  readonly tableElements: number;
}

/** See {@link StructureLimits}. */
export const DEFAULT_STRUCTURE_LIMITS: StructureLimits = Object.freeze({
  types: 1_000_000,
  functions: 1_000_000,
  tables: 100_000,
  memories: 100,
  globals: 1_000_000,
  tags: 1_000_000,
  elementSegments: 100_000,
  elements: 10_000_000,
  dataSegments: 100_000,
  customBytes: 1_073_741_824,
  parameters: 1_000,
  results: 1_000,
  fields: 10_000,
  bodyBytes: 7_654_321,
  locals: 50_000,
  nesting: 50_000,
  branchTargets: 65_520,
  memoryPages: 65_536,
  tableElements: 10_000_000,
});

type LimitName = keyof StructureLimits;

/** Limits that bound a count of the whole module. */
const COUNTED: readonly (LimitName & CountedThing)[] = [
  "types",
  "functions",
  "tables",
  "memories",
  "globals",
  "tags",
  "elementSegments",
  "elements",
  "dataSegments",
  "customBytes",
  "parameters",
  "results",
  "fields",
];

/** Limits that bound what one function has. */
const PER_FUNCTION: readonly (readonly [LimitName, keyof ModuleFacts["code"]["most"]])[] = [
  ["bodyBytes", "bytes"],
  ["locals", "locals"],
  ["nesting", "nesting"],
  ["branchTargets", "targets"],
];

/**
 * Fills in the defaults.
 *
 * @throws {@link WasmError} (`WASM_POLICY`) for an unknown limit, or one that is no whole number.
 */
export function parseStructureLimits(limits: Partial<StructureLimits>): StructureLimits {
  for (const [name, value] of Object.entries(limits)) {
    if (!Object.hasOwn(DEFAULT_STRUCTURE_LIMITS, name)) {
      throw new WasmError("WASM_POLICY", { message: `there is no limit called ${name}` });
    }
    if (!Number.isSafeInteger(value) || value < 0) {
      const message = `the limit ${name} is a whole number from 0; received ${String(value)}`;
      throw new WasmError("WASM_POLICY", { message });
    }
  }
  return Object.freeze({ ...DEFAULT_STRUCTURE_LIMITS, ...limits });
}

/** Compares a module with the limits; the first that is passed is named. */
export function decideStructure(facts: ModuleFacts, limits: StructureLimits): Decision<void> {
  for (const name of COUNTED) {
    if (facts.counts[name] > limits[name]) return over(name, facts.counts[name], limits);
  }
  for (const [name, member] of PER_FUNCTION) {
    const most: Extreme | undefined = facts.code.most[member];
    if (most !== undefined && most.value > limits[name])
      return over(name, most.value, limits, most);
  }
  return (
    overBounds("memoryPages", facts.memories, limits) ??
    overBounds("tableElements", facts.tables, limits) ??
    allow("wasm.limits", undefined)
  );
}

function overBounds(
  name: "memoryPages" | "tableElements",
  bounds: readonly Bounds[],
  limits: StructureLimits,
): Decision<void> | undefined {
  const over64 = bounds.find(({ minimum }) => minimum > limits[name]);
  return over64 && over(name, over64.minimum, limits);
}

function over(
  name: LimitName,
  value: number,
  limits: StructureLimits,
  where?: Extreme,
): Decision<void> {
  const place = where === undefined ? "" : ` in function ${where.index} (at byte ${where.offset})`;
  const reason = `the module has ${name} ${value}${place}; at most ${limits[name]} are allowed`;
  return refuse("WASM_LIMIT", `wasm.limits.${name}`, reason);
}
