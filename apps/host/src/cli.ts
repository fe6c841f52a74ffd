#!/usr/bin/env node
/** @module The `glovebox` command: the process around the command line. */
import { runCommandLine } from "./commands/program.ts";

// A reader that goes away early (`| head`) is no error of ours.
process.stdout.on("error", () => process.exit(1));

process.exitCode = await runCommandLine(process.argv.slice(2), {
  stdin: process.stdin,
  out: (data) =>
    new Promise((resolve) => {
      process.stdout.write(data, () => resolve());
    }),
  err: (text) => void process.stderr.write(text),
  isInteractive: process.stderr.isTTY,
});
