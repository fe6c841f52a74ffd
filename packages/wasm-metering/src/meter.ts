/**
 * @module Puts an instruction budget into a module: a global holds what is left, code subtracts what
 * it costs before it runs, and traps when nothing is left (threats: "Instrumentation and limits").
 * Names derive from the module's digest and the budget is never in the bytes, so that equal modules
 * give equal results on every machine.
 */
import { createHash } from "node:crypto";

import { allow, type Decision, failClosed, refuse } from "@glovebox/core/decision";
import type { Sha256 } from "@glovebox/core/ids";
import { readModule, SECTION, WasmBinaryError, type WasmModule } from "@glovebox/wasm-binary";
import { type ByteWriter, writeModule } from "@glovebox/wasm-binary/write";

import { COST_TABLE } from "./cost-table.ts";
import { MeteringError } from "./errors.ts";
import { fuelNames } from "./fuel-names.ts";
import { IndexCheck } from "./index-check.ts";
import { MAX_EXPORTS, MAX_FUNCTIONS, MAX_GLOBALS, MAX_TYPES } from "./limits.ts";
import { type MeteredModule, METERING_VERSION } from "./metered-module.ts";
import { MeteringStop } from "./metering-stop.ts";
import { type MeteringOptions, parseOptions, type Placement } from "./options.ts";
import { planModule } from "./plan.ts";
import { FunctionReferences } from "./rewrite/function-references.ts";
import { limitMemories, type Maxima } from "./rewrite/memory-limit.ts";
import { findStaleSections } from "./rewrite/stale-sections.ts";
import { surveyBodies } from "./survey.ts";
import { writeCode } from "./write-code.ts";
import { writeSections } from "./write-sections.ts";

/** A module that was validated, as the validator makes it. */
export interface ValidatedBytes {
  readonly bytes: Uint8Array;
  /** Digest of what was validated: the bytes must still have it. */
  readonly sha256: Sha256;
  /** What the engine said of the original: its presence is the proof that it was asked. */
  readonly verdict: object;
}

/**
 * Instruments a validated module. Refuses when its bytes are no longer those that were validated,
 * when an index is not the original's, or when the result would exceed a limit of the engine.
 *
 * @throws {@link MeteringError} (`METERING_USAGE`) on misuse.
 * @example
 * ```ts
 * const decision = meterModule(validated, { maxMemoryPages: 256 });
 * ```
 */
export function meterModule(
  validated: ValidatedBytes,
  options: MeteringOptions = {},
): Decision<MeteredModule> {
  if (!(validated?.bytes instanceof Uint8Array) || typeof validated.verdict !== "object") {
    throw new MeteringError("METERING_USAGE", { message: "meterModule takes a validated module" });
  }
  const { maxima, placement } = parseOptions(options);
  return failClosed("wasm.metering", () => {
    // One copy, for digest and rewriting alike: others hold the buffer that was validated.
    const bytes = new Uint8Array(validated.bytes);
    if (createHash("sha256").update(bytes).digest("hex") !== validated.sha256) {
      return refuse(
        "METERING_DIGEST",
        "wasm.metering",
        "the bytes have another digest than was validated",
      );
    }
    const reading = readModule(bytes, { bodies: "skip" });
    if (!reading.allowed) return reading;
    try {
      return allow("wasm.metering", meter(reading.value, validated.sha256, maxima, placement));
    } catch (error) {
      if (error instanceof MeteringStop) return refuse(error.code, "wasm.metering", error.reason);
      // A body that the engine takes and the reader does not, as a `br_table` that is too long.
      if (error instanceof WasmBinaryError) return refuse(error.code, "wasm.binary", error.message);
      throw error;
    }
  });
}

function meter(
  module: WasmModule,
  sha256: Sha256,
  maxima: Maxima,
  placement: Placement,
): MeteredModule {
  const check = new IndexCheck(module);
  const problem = check.problemOutsideCode();
  if (problem !== undefined) throw new MeteringStop("METERING_INDEX", problem);
  requireRoom(module);
  const references = new FunctionReferences(module);
  const survey = surveyBodies(module, check);
  const plan = planModule(module, survey, references, placement);
  const copy = (writer: ByteWriter, start: number, end: number): void =>
    references.copy(writer, start, end, plan.reference);
  const limited = limitMemories(module, maxima, copy);
  if (typeof limited === "string") throw new MeteringStop("METERING_MEMORY", limited);

  const { callDepth } = maxima;
  const names = fuelNames(module, sha256, callDepth !== undefined);
  const code = writeCode(module, plan, survey.entryCosts, callDepth);
  const stale = findStaleSections(module);
  const bytes = writeModule(module, {
    replace: new Map([...limited, ...writeSections(module, code, names, { references, ...plan })]),
    drop: ({ id, header }) => id === SECTION.start || stale.has(header),
  });
  return Object.freeze({
    __glovebox: "MeteredModule",
    bytes,
    original: sha256,
    fuelExport: names.fuel,
    startExport: names.start,
    depthExport: names.depth,
    map: code.map.finish(offsetOfCode(bytes), module.imported.function, code.mappedBytes),
    versions: Object.freeze({ metering: METERING_VERSION, costs: COST_TABLE.version }),
    maxima: Object.freeze({ ...maxima }),
    droppedSections: Object.freeze([...stale.values()]),
    fallbacks: Object.freeze(code.fallbacks),
  });
}

/** What is appended must fit beside what is there. */
function requireRoom({ types, functions, globals, exports }: WasmModule): void {
  const counts: readonly (readonly [string, number, number])[] = [
    // As many types and functions as there are functions may be added.
    ["types", types.length + 2 * functions.length + 2, MAX_TYPES],
    ["functions", 2 * functions.length + 1, MAX_FUNCTIONS],
    ["globals", globals.length + 2, MAX_GLOBALS],
    ["exports", exports.length + 3, MAX_EXPORTS],
  ];
  for (const [what, count, most] of counts) {
    if (count > most) throw new MeteringStop("METERING_LIMIT", `too many ${what} to add to`);
  }
}

/** Where the content of the code section begins: the map counts from there. */
function offsetOfCode(bytes: Uint8Array): number {
  const reading = readModule(bytes, { bodies: "skip" });
  if (!reading.allowed)
    throw new TypeError(`metering wrote what it cannot read: ${reading.reason}`);
  return reading.value.sections.find(({ id }) => id === SECTION.code)?.start ?? 0;
}
