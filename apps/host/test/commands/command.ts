/** @module Runs the built command as a process of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));

/** How a command ended. */
export interface Ended {
  readonly exit: number | null;
  readonly out: string;
  /** First line of standard error. */
  readonly firstError: string;
  /** All of it. */
  readonly err: string;
}

/** A command that goes on until it is told to stop. */
export interface Running extends AsyncDisposable {
  /** Resolves when standard output holds the text. */
  printed(text: string): Promise<string>;
  stop(signal: NodeJS.Signals): Promise<Ended>;
}

/** Starts a command. */
export function start(
  args: readonly string[],
  input = "",
): Running & { readonly ended: Promise<Ended> } {
  // npm test sets NODE_OPTIONS and conditions that are the tests' own.
  const { NODE_OPTIONS: _options, PORT: _port, ...env } = process.env;
  const child = spawn(process.execPath, [CLI, ...args], { env, stdio: "pipe" });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  child.stdin.on("error", () => undefined).end(input);
  const ended = once(child, "close").then(([exit]) => ({
    exit: exit as number | null,
    out,
    firstError: err.split("\n")[0] ?? "",
    err,
  }));
  return {
    ended,
    async printed(text) {
      while (!out.includes(text)) {
        if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}: ${err}`);
        await Promise.race([once(child.stdout, "data"), ended]);
      }
      return out;
    },
    async stop(signal) {
      child.kill(signal);
      return ended;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** Runs a command to its end. */
export function run(...args: readonly string[]): Promise<Ended> {
  return start(args).ended;
}
