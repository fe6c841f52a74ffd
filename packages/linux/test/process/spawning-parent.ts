/** @module A process that starts the spinning child with the arguments it was given, and waits. */
import { spawn } from "node:child_process";

// The child writes straight to this process's standard output, and so holds it open.
spawn(process.execPath, [...process.execArgv, ...process.argv.slice(2)], { stdio: "inherit" });
setInterval(() => undefined, 60_000);
