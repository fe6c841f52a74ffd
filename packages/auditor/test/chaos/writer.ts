/**
 * @module A writer in a process of its own, that tells on standard output what it hands over (`A run count`),
 * what is durable (`D index run n`) and what is sealed (`S size root`), until it is killed: by others,
 * or by itself before the given step of its disk.
 */
import { writeSync } from "node:fs";
import { flushCompileCache } from "node:module";

import { openAuditLog, openKeyFile } from "@glovebox/auditor/log";

import { nodeFileSystem } from "#src/log/file-system";

const [directory = "", run = "", rawStep = ""] = process.argv.slice(2);
const ORIGIN = "chaos.example/log";
let steps = 0;

// Whoever is killed does not come to write the cache; a thousand starts are worth it.
flushCompileCache();

/** Dies as a killed process does, at one step. */
function step(): void {
  steps += 1;
  if (steps === Number(rawStep)) process.kill(process.pid, "SIGKILL");
}

const { log } = await openAuditLog(
  { directory, origin: ORIGIN, sealIntervalMs: 5, segmentBytes: 16_384 },
  {
    signers: () => openKeyFile(`${directory}.key`, ORIGIN),
    fileSystem: {
      ...nodeFileSystem,
      async open(path, mode) {
        step();
        const file = await nodeFileSystem.open(path, mode);
        if (file === undefined) return undefined;
        return {
          ...file,
          write(bytes, position) {
            step();
            return file.write(bytes, position);
          },
          sync() {
            step();
            return file.sync();
          },
        };
      },
      rename(from, to) {
        step();
        return nodeFileSystem.rename(from, to);
      },
      syncDirectory(path) {
        step();
        return nodeFileSystem.syncDirectory(path);
      },
    },
  },
);

const tell = (line: string): void => void writeSync(1, `${line}\n`);

async function sealAgain(): Promise<never> {
  for (;;) {
    await log.seal();
    const [, size, root] = log.checkpoint().split("\n");
    tell(`S ${size} ${root}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
void sealAgain();

for (let n = 0; ;) {
  const burst = 1 + ((n * 7) % 40);
  tell(`A ${run} ${n + burst}`);
  const places = [];
  for (let at = 0; at < burst; at += 1) places.push(await log.append(`${run} ${n + at}`));
  const { index } = (await places.at(-1)?.durable) ?? { index: -1 };
  n += burst;
  tell(`D ${index} ${run} ${n - 1}`);
}
