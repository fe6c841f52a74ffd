/** Runs a command of `glovebox` in this process, for tests that give many. */
import { Readable } from "node:stream";

import { runCommandLine } from "../src/commands/program.ts";

/** What came of it. */
export interface Ran {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
  /** First line of standard error. */
  readonly firstError: string;
}

export async function runHere(...args: readonly string[]): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  const exit = await runCommandLine(args, {
    stdin: Readable.from([]),
    out: async (data) => void out.push(Buffer.from(data).toString()),
    err: (text) => void err.push(text),
  });
  const errors = err.join("");
  return { exit, out: out.join(""), err: errors, firstError: errors.split("\n")[0] ?? "" };
}

/** The lines of an output as JSON. */
export function jsonLines(out: string): readonly unknown[] {
  return out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
}
