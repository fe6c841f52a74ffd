/**
 * @module The file worker on a disk that does not answer: a system call on a name that holds
 * `stall` never returns, as with a network file system whose server is gone.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const { openSync } = fs;
fs.openSync = (path, ...rest) => {
  if (String(path).includes("stall")) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  return openSync(path, ...rest);
};
syncBuiltinESMExports();
await import("../src/disk/worker.ts");
