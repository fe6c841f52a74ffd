/** A bounded run of `npm run -s fuzz -- sandbox`, always the same. */
import { expect, it } from "vitest";

import { openSandboxFuzzer } from "./sandbox.ts";

const RUNS = 40;
const FIRST_SEED = 4_000;

it("survives random frames and random use of the kernel", async () => {
  await using fuzzer = await openSandboxFuzzer();
  const findings: unknown[] = [];
  for (let run = 0; run < RUNS; run++) {
    const finding = await fuzzer.run(FIRST_SEED + run);
    if (finding !== undefined) findings.push({ seed: FIRST_SEED + run, ...finding });
  }
  expect(findings).toEqual([]);
}, 120_000);
