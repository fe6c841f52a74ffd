/**
 * @module Races the broker's files against a swapper in another process:
 *
 *   npm run -s race -- filesystem --tries N
 *
 * For each operation (read, create, delete, rename, list) a child exchanges the folder with a link
 * that leads outside, as fast as renameat2 can: first against a control that checks a path and then
 * uses it, then N tries through the broker, half of them with each way of opening. Fails (1) when
 * anything outside was touched or told, when not both states were seen, or when no control escaped,
 * for then nothing was raced. Exits 2 on wrong usage. Runs from source, so nothing is built.
 */
import { parseArgs } from "node:util";

import {
  RACED,
  raceBroker,
  raceControl,
} from "../packages/capability-broker/test/race/operations.ts";
import type { RaceResult } from "../packages/capability-broker/test/race/race.ts";

const CONTROL_MS = 30_000;
/** Milliseconds for one race; a slow machine makes about a thousand tries a second. */
const MAX_MS = 1_800_000;

async function main(args: readonly string[]): Promise<number> {
  const tries = triesOf(args);
  if (tries === undefined) {
    process.stderr.write("usage: npm run -s race -- filesystem --tries N\n");
    return 2;
  }
  let controlEscapes = 0;
  const results: RaceResult[] = [];
  let isSound = true;
  for (const name of Object.keys(RACED)) {
    const control = await raceControl(name, CONTROL_MS);
    controlEscapes += control.escapes;
    for (const opener of ["walk", "openat2"] as const) {
      const result = await raceBroker(name, opener, Math.ceil(tries / 2), MAX_MS);
      results.push(result);
      const { done, refused, escapes, swaps } = result;
      const sawBoth = done > 0 && refused > 0 && done + refused + escapes >= tries / 2;
      isSound &&= sawBoth;
      process.stdout.write(
        `${name} ${opener}: ${done} done, ${refused} refused, ${escapes} escapes, ${swaps} swaps` +
          `${sawBoth ? "" : "; too few tries, or only one state was seen"}; control ${control.escapes}\n`,
      );
    }
  }
  const sum = (of: (result: RaceResult) => number): number =>
    results.reduce((total, result) => total + of(result), 0);
  const escapes = sum((result) => result.escapes);
  const perSecond = Math.round((1_000 * sum(({ swaps }) => swaps)) / sum(({ swapMs }) => swapMs));
  process.stdout.write(
    `escapes: ${escapes}, control escapes: ${controlEscapes}, swaps/s: ${perSecond}\n`,
  );
  return escapes === 0 && controlEscapes > 0 && isSound ? 0 : 1;
}

function triesOf(args: readonly string[]): number | undefined {
  try {
    const { positionals, values } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { tries: { type: "string", default: "20000" } },
    });
    const tries = Number(values.tries);
    const isRace = positionals.length === 1 && positionals[0] === "filesystem";
    return isRace && Number.isSafeInteger(tries) && tries > 0 ? tries : undefined;
  } catch {
    return undefined;
  }
}

process.exitCode = await main(process.argv.slice(2));
