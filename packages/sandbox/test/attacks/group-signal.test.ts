/**
 * Ctrl-C in a terminal is a signal to the whole group of processes that the host is in. The host may
 * want to end in good order: its runners must not die of it under their calls.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

import { expect, it } from "vitest";

import { unavailableLayer } from "../support/outer-layers.ts";
import { fieldOfStat, runs } from "../support/processes.ts";

const HOST = new URL("../support/spinning-host.mjs", import.meta.url).pathname;
/** Field of /proc/PID/stat (proc(5)). */
const GROUP = 5;
/** For a host that goes on: it says when it has received the signal. */
const GOES_ON = `data:text/javascript,process.on("SIGINT",()=>process.stdout.write("received\\n"))`;

it.for(["bubblewrap", "landlock", "none"] as const)(
  "reaches the host, and no runner behind %s",
  async (layer, context) => {
    const reason = await unavailableLayer(layer);
    if (reason !== undefined) context.skip(reason);
    const host = spawn(process.execPath, ["--import", GOES_ON, HOST, layer], {
      stdio: ["ignore", "pipe", "inherit"],
      detached: true, // a group of its own, as a terminal gives one to each command
    });
    try {
      const pids = JSON.parse(await nextLine(host)) as number[];
      expect(pids.map((pid) => fieldOfStat(pid, GROUP))).not.toContain(String(host.pid));
      process.kill(-(host.pid ?? 0), "SIGINT");
      expect(await nextLine(host)).toBe("received\n");
      expect(pids.filter(runs)).toEqual(pids);
    } finally {
      host.kill("SIGKILL");
      await once(host, "exit");
    }
  },
);

async function nextLine(host: ChildProcess): Promise<string> {
  const [line] = (await once(host.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
  return String(line);
}
