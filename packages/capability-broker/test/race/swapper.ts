/**
 * @module A child that exchanges two names as fast as it can, with renameat2(RENAME_EXCHANGE), or
 * moves one away and back: the attacker of a race. Arguments: FOLDER A B [away]. It says `swapping`,
 * and on any message how many swaps it made in how many milliseconds; then it ends.
 */
import { constants, openSync, renameSync } from "node:fs";
import { join } from "node:path";

import { locateKoffi } from "@glovebox/linux";
import { loadFileCalls, O_PATH } from "@glovebox/linux/files";

const SWAPS_PER_TURN = 1_000;

const [folder = "", a = "", b = "", mode] = process.argv.slice(2);
const swap = mode === "away" ? moveAway() : exchange();
const started = performance.now();
let swaps = 0;
let isOver = false;

process.once("message", () => (isOver = true));
process.once("disconnect", () => process.exit());
process.send?.("swapping");
turn();

function turn(): void {
  // An even number: what stood under a name at first stands there at the end.
  for (let at = 0; at < SWAPS_PER_TURN; at += 1) swap();
  swaps += SWAPS_PER_TURN;
  if (!isOver) return void setImmediate(turn);
  process.send?.({ swaps, ms: performance.now() - started }, () => process.exit());
}

function exchange(): () => void {
  const calls = loadFileCalls(locateKoffi()?.entry);
  if (calls === undefined) throw new Error("neither node:ffi nor koffi");
  const fd = openSync(folder, O_PATH | constants.O_DIRECTORY);
  return () => calls.rename(fd, a, fd, b, "exchange");
}

function moveAway(): () => void {
  let isAway = false;
  return () => {
    renameSync(join(folder, isAway ? b : a), join(folder, isAway ? a : b));
    isAway = !isAway;
  };
}
