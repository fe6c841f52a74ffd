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
/** PF_EXITING of linux/sched.h: in do_exit(), out of which no line of its program is run any more. */
const EXITING = 0x4;

/**
 * Runners of five hosts with a spinning and a warm one each: that the kernel has not cleared away
 * ten milliseconds after the kill (those in state Z only wait to be reaped), and that could still
 * run their plugin ten milliseconds after their host could not.
 */
export async function orphans(): Promise<Record<string, number>> {
  let left = 0;
  let running = 0;
  for (let host = 0; host < HOSTS; host++) {
    const of = await orphansOfOneHost();
    left += of.left;
    running += of.running;
  }
  return { orphans_after_10ms: left, orphans_running_10ms_after_host: running };
}

async function orphansOfOneHost(): Promise<{ left: number; running: number }> {
  const host = spawn(process.execPath, [fileURLToPath(SPINNING_HOST)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(createInterface({ input: host.stdout }), "line")) as [string];
  const pids = JSON.parse(line) as number[];
  host.kill("SIGKILL");
  // Not spinning: whoever dies needs a core for it.
  const [left] = await Promise.all([
    sleep(GRACE_MS).then(() => pids.filter((pid) => stateOf(pid) !== "cleared away").length),
    isEnding(host.pid ?? 0),
  ]);
  await sleep(GRACE_MS);
  return { left, running: pids.filter((pid) => stateOf(pid) === "running").length };
}

async function isEnding(pid: number): Promise<void> {
  while (stateOf(pid) === "running") await sleep(1);
}

/** By state and flags, fields 3 and 9 of /proc/PID/stat (proc(5)); the name before them may hold anything. */
function stateOf(pid: number): "running" | "ending" | "cleared away" {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z") return "cleared away";
    return (Number(fields[6]) & EXITING) === 0 ? "running" : "ending";
  } catch {
    return "cleared away";
  }
}
