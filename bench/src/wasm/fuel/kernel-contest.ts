/**
 * @module A process of its own for one set of kernels: plain and metered instances take turns, and
 * the thread's CPU time is compared. Prints the ratios by name as JSON.
 */
import { assembleWat } from "@glovebox/testkit";

import { median } from "../../measure.ts";
import { KERNELS } from "./kernels/index.ts";
import type { Kernel } from "./kernels/text.ts";
import { fuel, metered } from "./metered.ts";
import { threadClock } from "./thread-clock.ts";

const ROUNDS = 9;
/** CPU milliseconds of one turn, about. */
const TURN_MS = 8;
const WARM_UP_MS = 60;
const FEATURES = { exceptions: true, tail_call: true, bulk_memory: true };

const [set = ""] = process.argv.slice(2);
const kernels: readonly Kernel[] =
  Object.entries(KERNELS).find(([name]) => name === set)?.[1] ?? [];
const now = await threadClock();
const ratios: Record<string, number> = {};
for (const kernel of kernels) ratios[kernel.name] = await contest(kernel);
process.stdout.write(JSON.stringify(ratios));

async function contest({ name, wat }: Kernel): Promise<number> {
  const original = await assembleWat(wat, FEATURES);
  const module = metered(original);
  const load = (bytes: Uint8Array): WebAssembly.Instance =>
    new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(bytes)));
  const plain = load(original).exports;
  const instrumented = fuel(load(module.bytes), module).exports;
  const turn = (
    exports: WebAssembly.Instance["exports"],
    times: number,
  ): { ms: number; answer: unknown } => {
    const run = exports["run"] as (times: number) => unknown;
    const start = now();
    const answer = run(times);
    return { ms: now() - start, answer };
  };
  let times = 1;
  for (const exports of [instrumented, plain]) {
    (exports["init"] as (() => void) | undefined)?.();
    for (let spent = 0; spent < WARM_UP_MS;) {
      const { ms } = turn(exports, times);
      spent += ms;
      if (ms < (exports === plain ? TURN_MS : TURN_MS / 2)) times *= 2;
    }
  }
  for (const exports of [plain, instrumented]) (exports["init"] as (() => void) | undefined)?.();
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const first = round % 2 === 0 ? plain : instrumented;
    const one = turn(first, times);
    const other = turn(first === plain ? instrumented : plain, times);
    const [theirs, ours] = first === plain ? [one, other] : [other, one];
    rounds.push(ours.ms / theirs.ms);
  }
  // Fresh ones: those above have run for different numbers of turns.
  const check = [load(original), fuel(load(module.bytes), module)].map(({ exports }) => {
    (exports["init"] as (() => void) | undefined)?.();
    return turn(exports, 3).answer;
  });
  if (!Object.is(check[0], check[1]))
    throw new Error(`${name}: metered, it answers something else`);
  return median(rounds);
}
