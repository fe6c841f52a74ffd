/** @module Which runners are left ten milliseconds after their host was killed. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** From bench/dist: the host that the sandbox's own test kills. */
const SPINNING_HOST = new URL(
  "../../packages/sandbox/test/support/spinning-host.mjs",
  import.meta.url,
);
const HOSTS = 5;
const GRACE_MS = 10;

/** Runners of five hosts with a spinning and a warm one each; those in state Z only wait to be reaped. */
export async function orphans(): Promise<Record<string, number>> {
  let left = 0;
  for (let host = 0; host < HOSTS; host++) left += await orphansOfOneHost();
  return { orphans_after_10ms: left };
}

async function orphansOfOneHost(): Promise<number> {
  const host = spawn(process.execPath, [fileURLToPath(SPINNING_HOST)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(createInterface({ input: host.stdout }), "line")) as [string];
  const pids = JSON.parse(line) as number[];
  host.kill("SIGKILL");
  await sleep(GRACE_MS); // not spinning: whoever dies needs a core for it
  return pids.filter(isAlive).length;
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
