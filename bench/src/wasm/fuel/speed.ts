/** @module How fast modules are instrumented: beside the engine's validation, and as hostile ones grow. */
import { ByteWriter } from "@glovebox/wasm-binary/write";

import { median } from "../../measure.ts";
import { metered } from "./metered.ts";
import { readPackage } from "./real/case.ts";
import { REAL_CASES } from "./real/index.ts";

const ROUNDS = 5;
const GROWTH = 8;

function milliseconds(work: () => void, rounds = ROUNDS): number {
  const samples: number[] = [];
  for (let left = rounds; left > 0; left--) {
    const start = performance.now();
    work();
    samples.push(performance.now() - start);
  }
  return median(samples);
}

/** Time to instrument the ten real modules over the engine's to validate them. */
export function instrumentVsValidate(): number {
  let ours = 0;
  let engine = 0;
  for (const { file } of REAL_CASES) {
    const bytes = readPackage(file);
    ours += milliseconds(() => metered(bytes));
    engine += milliseconds(() => WebAssembly.validate(bytes));
  }
  return ours / engine;
}

/** A module of one function, of type i32 → nothing. */
function moduleOf(write: (code: ByteWriter) => void): Uint8Array {
  const body = new ByteWriter();
  body.byte(0);
  write(body);
  body.byte(0x0b);
  const out = new ByteWriter();
  out.raw([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 1, 0x7f, 0, 3, 2, 1, 0, 10]);
  const code = new ByteWriter();
  code.byte(1);
  code.unsigned(body.length);
  code.append(body);
  out.unsigned(code.length);
  out.append(code);
  return out.finish();
}

const VOID = 0x40;

function branches(count: number): Uint8Array {
  return moduleOf((code) => {
    code.raw([0x02, VOID]);
    for (let left = count; left > 0; left--) code.raw([0x20, 0, 0x0d, 0]);
    code.byte(0x0b);
  });
}

/** Bodies that make an analysis quadratic which walks from node to node; `size` of 1 is the smaller. */
const SHAPES: Readonly<Record<string, (size: number) => Uint8Array>> = {
  "branches out of one block": (size) => branches(20_000 * size),
  // Above a cap of nodes nothing is analysed: these stay below it.
  "branches that are analysed": (size) => branches(7_500 * size),
  "nested loops": (size) =>
    moduleOf((code) => {
      for (let left = 5_000 * size; left > 0; left--) code.raw([0x03, VOID, 0x20, 0, 0x1a]);
      for (let left = 5_000 * size; left > 0; left--) code.raw([0x20, 0, 0x0d, 0, 0x0b]);
    }),
  "a table of labels": (size) =>
    moduleOf((code) => {
      const labels = 8_000 * size;
      for (let left = labels; left > 0; left--) code.raw([0x02, VOID]);
      code.raw([0x20, 0, 0x0e]);
      code.unsigned(labels);
      for (let label = 0; label <= labels; label++) code.unsigned(label);
      for (let left = labels; left > 0; left--) code.raw([0x0b, 0x20, 0, 0x1a]);
    }),
};

/** Time at eight times the size over eight times the time, of the worst shape; and its milliseconds. */
export function instrumentGrowth(): { readonly ratio: number; readonly note: string } {
  let ratio = 0;
  const rows: string[] = [];
  for (const [name, build] of Object.entries(SHAPES)) {
    const [small, large] = [build(1), build(GROWTH)];
    metered(large);
    const short = milliseconds(() => metered(small), 2 * ROUNDS);
    const long = milliseconds(() => metered(large));
    ratio = Math.max(ratio, long / (GROWTH * short));
    rows.push(`${name} ${long.toFixed(0)} ms`);
  }
  return { ratio, note: `hostile shapes at full size: ${rows.join(", ")}` };
}
