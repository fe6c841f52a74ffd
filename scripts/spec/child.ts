/**
 * @module The process in which scripts run, one after the other as its parent names them: an engine
 * that crashes or hangs ends only this.
 */
import { readFile } from "node:fs/promises";

import { MODES, type Miss, type Mode, type ModeResult, runMode, runPlainly } from "./modes.ts";
import { readScript } from "./script.ts";

/** What the process tells of a script, in this order, one message of `mode` for each. */
export type Message =
  | { readonly kind: "script"; readonly commands: number; readonly skipped: readonly Miss[] }
  | { readonly kind: "mode"; readonly mode: Mode; readonly result: ModeResult }
  | { readonly kind: "done" };

async function run(file: string): Promise<void> {
  const commands = await readScript(await readFile(file, "utf8"));
  const { outcomes, skipped } = await runPlainly(commands);
  tell({ kind: "script", commands: commands.length, skipped });
  for (const mode of MODES)
    tell({ kind: "mode", mode, result: await runMode(mode, commands, outcomes) });
  tell({ kind: "done" });
}

function tell(message: Message): void {
  process.send?.(message);
}

// A script that cannot be read ends the process, and its parent says so.
process.on("message", (file: string) => void run(file));
