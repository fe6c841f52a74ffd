/** @module Scripts in processes that may die: each script is reported, whatever becomes of its process. */
import { type ChildProcess, fork } from "node:child_process";
import { readFile } from "node:fs/promises";

import type { Message } from "./child.ts";
import { MODES, type Miss, type Mode, type ModeResult } from "./modes.ts";
import { countCommands } from "./script.ts";

/** What became of a script. */
export interface ScriptReport {
  readonly file: string;
  /** Commands, and those that no mode is judged by. */
  readonly commands: number;
  readonly skipped: readonly Miss[];
  readonly modes: Readonly<Record<Mode, ModeResult>>;
}

const CHILD = new URL("child.ts", import.meta.url);

/**
 * Runs the files in `processes` processes at once; reports come as they are ready. A process that is
 * silent for `deadlineMs` within a script is ended: it tells of each mode.
 */
export async function runScripts(
  files: readonly string[],
  {
    processes,
    deadlineMs,
    child = CHILD,
  }: { readonly processes: number; readonly deadlineMs: number; readonly child?: URL },
  onReport: (report: ScriptReport) => void,
): Promise<void> {
  const queue = [...files];
  const work = async (): Promise<void> => {
    let runner: ChildProcess | undefined;
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      runner ??= fork(child, {
        execArgv: ["--conditions=@glovebox/source", "--no-warnings"],
        stdio: ["ignore", "ignore", "inherit", "ipc"],
      });
      const { messages, problem } = await converse(runner, file, deadlineMs);
      if (problem !== undefined) runner = undefined;
      onReport(await reportOf(file, messages, problem));
    }
    runner?.kill("SIGKILL");
  };
  await Promise.all(Array.from({ length: processes }, work));
}

interface Conversation {
  readonly messages: readonly Message[];
  /** Why the script did not get to its end; the process is gone then. */
  readonly problem: string | undefined;
}

function converse(runner: ChildProcess, file: string, deadlineMs: number): Promise<Conversation> {
  return new Promise((resolve) => {
    const messages: Message[] = [];
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      runner.kill("SIGKILL");
    }, deadlineMs);
    const end = (problem: string | undefined): void => {
      clearTimeout(timer);
      runner.off("message", listen);
      runner.off("exit", onExit);
      resolve({ messages, problem });
    };
    const listen = (message: Message): void => {
      messages.push(message);
      timer.refresh();
      if (message.kind === "done") end(undefined);
    };
    const onExit = (code: number | null, signal: string | null): void =>
      end(
        isLate
          ? `no sign of life for ${deadlineMs} ms`
          : `the process ended with ${signal ?? code}`,
      );
    runner.on("message", listen);
    runner.on("exit", onExit);
    runner.send(file);
  });
}

async function reportOf(
  file: string,
  messages: readonly Message[],
  problem = "no report",
): Promise<ScriptReport> {
  const script = messages.find((message) => message.kind === "script");
  const commands = script?.commands ?? (countCommands(await readFile(file, "utf8")) || 1);
  const skipped = script?.skipped ?? [];
  const missing = Array.from({ length: commands - skipped.length }, (): Miss => ({
    line: 1,
    reason: problem,
  }));
  const resultOf = (mode: Mode): ModeResult =>
    messages.flatMap((message) =>
      message.kind === "mode" && message.mode === mode ? [message.result] : [],
    )[0] ?? {
      passed: 0,
      failed: missing,
      notes: [],
    };
  const modes = Object.fromEntries(MODES.map((mode) => [mode, resultOf(mode)])) as Record<
    Mode,
    ModeResult
  >;
  return { file, commands, skipped, modes };
}
