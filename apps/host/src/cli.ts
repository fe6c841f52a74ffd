#!/usr/bin/env node
/** @module The `glovebox` command: the process around the command line. */
import { askPerson } from "./commands/ask-person.ts";
import { runCommandLine } from "./commands/program.ts";

// A reader that goes away early (`| head`) is no error of ours.
process.stdout.on("error", () => process.exit(1));

// The first line of standard error is a failure's (contract.md 5), and not that a function of Node
// is experimental, which concerns nobody who runs a command.
process.removeAllListeners("warning");
process.on("warning", (warning) => {
  if (warning.name !== "ExperimentalWarning")
    process.stderr.write(`${warning.name}: ${warning.message}\n`);
});

process.exitCode = await runCommandLine(process.argv.slice(2), {
  stdin: process.stdin,
  out: (data) =>
    new Promise((resolve) => {
      process.stdout.write(data, () => resolve());
    }),
  err: (text) => void process.stderr.write(text),
  isInteractive: process.stderr.isTTY,
  // Who cannot see what is printed has not read it.
  ...(process.stdin.isTTY && process.stdout.isTTY && process.stderr.isTTY
    ? { ask: (question) => askPerson(question, { input: process.stdin, output: process.stderr }) }
    : {}),
});
