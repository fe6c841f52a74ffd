/**
 * @module How fast modules are read, beside npm's wasmparser, and reported on, beside the engine's
 * validation. Both readers deliver every operator with its immediates: wasmparser as an object, ours
 * in fields.
 */
import { readModule } from "@glovebox/wasm-binary";
import { OperatorReader } from "@glovebox/wasm-binary/operators";
import { inspectModule } from "@glovebox/wasm-validator";
import { BinaryReader } from "wasmparser";

import { median } from "../measure.ts";
import { readPackage } from "./fuel/real/case.ts";
import { REAL_CASES } from "./fuel/real/index.ts";

const ROUNDS = 7;
const MB = 1e6;
/** Of the real modules the one that is as large as what the report's target speaks of, 14 MB. */
const LARGE = "esbuild-wasm/esbuild.wasm";

/** States of wasmparser, whose own names are gone once it is compiled. */
const CODE_OPERATOR = 30;
const ERROR = -1;

/** What a reader has seen: operators, and a sum of immediates, so that none is left unread. */
interface Seen {
  operators: number;
  immediates: number;
}

function readOurs(bytes: Uint8Array): Seen {
  const decision = readModule(bytes, { bodies: "skip" });
  if (!decision.allowed) throw new Error(`${decision.code}: ${decision.reason}`);
  const { bodies } = decision.value;
  const reader = new OperatorReader(bytes);
  const seen = { operators: 0, immediates: 0 };
  for (let index = 0; index < bodies.length; index++) {
    reader.openBody(bodies.startOf(index), bodies.endOf(index));
    for (let opcode = reader.next(); opcode >= 0; opcode = reader.next()) {
      seen.operators++;
      seen.immediates += reader.low + reader.first;
    }
    reader.close();
  }
  return seen;
}

function readTheirs(bytes: Uint8Array<ArrayBuffer>): Seen {
  const reader = new BinaryReader();
  reader.setData(bytes.buffer, bytes.byteOffset, bytes.length);
  const seen = { operators: 0, immediates: 0 };
  while (reader.read()) {
    const state: number = reader.state;
    if (state === ERROR) throw reader.error ?? new Error("wasmparser fails");
    if (state !== CODE_OPERATOR) continue;
    const { literal, localIndex, brDepth } = reader.result as {
      readonly literal?: unknown;
      readonly localIndex?: number;
      readonly brDepth?: number;
    };
    seen.operators++;
    seen.immediates +=
      (typeof literal === "number" ? literal : 0) + (localIndex ?? 0) + (brDepth ?? 0);
  }
  return seen;
}

/** Milliseconds of both, in alternating rounds. */
function alternating(one: () => unknown, other: () => unknown): readonly [number, number] {
  const samples: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    for (const [at, work] of [one, other].entries()) {
      const start = performance.now();
      work();
      samples[at]?.push(performance.now() - start);
    }
  }
  return [median(samples[0]), median(samples[1])];
}

/** MB/s over the ten real modules, ours over wasmparser's. */
export function readerVsWasmparser(): { readonly ratio: number; readonly note: string } {
  let [size, ours, theirs] = [0, 0, 0];
  for (const { name, file } of REAL_CASES) {
    const bytes = readPackage(file);
    const [mine, other] = [readOurs(bytes).operators, readTheirs(bytes).operators];
    // wasmparser takes a table's padded index for five operators, of which dprint's module has some.
    if (Math.abs(mine - other) > mine / 500) {
      throw new Error(`${name}: ${mine} operators, and wasmparser reads ${other}`);
    }
    const [first, second] = alternating(
      () => readOurs(bytes),
      () => readTheirs(bytes),
    );
    size += bytes.length / MB;
    ours += first / 1000;
    theirs += second / 1000;
  }
  return {
    ratio: theirs / ours,
    note: `reader: ${(size / ours).toFixed(0)} MB/s, wasmparser ${(size / theirs).toFixed(0)} MB/s, whole modules, every operator with its immediates`,
  };
}

/** Time for the whole report of a large module over the engine's to validate it. */
export function reportVsValidate(): { readonly ratio: number; readonly note: string } {
  const bytes = readPackage(LARGE);
  const [ours, engine] = alternating(
    () => inspectModule(bytes),
    () => WebAssembly.validate(bytes),
  );
  return {
    ratio: ours / engine,
    note: `report of ${LARGE} (${(bytes.length / MB).toFixed(0)} MB): ${ours.toFixed(0)} ms, validated in ${engine.toFixed(0)} ms`,
  };
}
