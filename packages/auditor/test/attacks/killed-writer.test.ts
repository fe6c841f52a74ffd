/**
 * SIGKILL at any moment loses no event that was acknowledged. The page cache survives the kill, so
 * that this proves the order of acknowledgement and the recovery, and nothing about a power cut.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import { verifyAuditLog } from "@glovebox/auditor";
import { expect, test } from "vitest";

import { eventsOf, logDirectory } from "../fixture.ts";

const WRITER = fileURLToPath(new URL("../append-until-killed.ts", import.meta.url));
const KILLS = 4;

test(
  "every acknowledged event is in the log, and the log is whole",
  { timeout: 60_000 },
  async () => {
    await using directory = await logDirectory();
    const acknowledged: string[] = [];
    for (let kill = 0; kill < KILLS; kill += 1) {
      const arguments_ = ["--conditions=@glovebox/source", WRITER, directory.root];
      const child = spawn(process.execPath, arguments_, { stdio: ["ignore", "pipe", "inherit"] });
      let output = "";
      child.stdout.setEncoding("utf8");
      child.stdout.on("data", (text: string) => {
        output += text;
        if (output.length > 500 * (kill + 1)) child.kill("SIGKILL");
      });
      const [, signal] = (await once(child, "close")) as [number | null, string | null];
      expect(signal).toBe("SIGKILL");
      acknowledged.push(...output.split("\n").slice(0, -1));
    }
    await (await directory.open()).close();
    const events = await eventsOf(directory);
    expect(acknowledged.length).toBeGreaterThan(100);
    for (const line of acknowledged) {
      const [index, producer, n] = line.split(" ").map(Number);
      expect(events[index ?? -1]?.details).toEqual({ producer, n });
    }
    const kinds = events.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === "interrupted")).toHaveLength(KILLS);
    expect(await verifyAuditLog(directory.path)).toMatchObject({ ok: true, size: events.length });
  },
);
