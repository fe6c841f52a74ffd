/**
 * @module A host whose log is mirrored in PostgreSQL, as its configuration says, while that server
 * crashes and comes back: the mirror has every event of every log once, with the log's own bytes.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { openLogReader } from "@glovebox/auditor/log";
import { postgresSchema } from "@glovebox/auditor/sinks";
import { buildPluginPackage, pluginDirectory } from "@glovebox/testkit";
import { POSTGRES_BIN, startPostgresServer } from "@glovebox/testkit/servers";
import { Client } from "pg";
import { expect, test } from "vitest";

import { start } from "../command.ts";

const FLAT = `(module
  (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 0))
  (func (export "echo") (param i32 i32) (result i32 i32) (local.get 0) (local.get 1)))`;
const CLASSES = ["security", "activity", "operations"];

test.skipIf(POSTGRES_BIN === undefined)(
  "a mirror misses nothing and has nothing twice after its server crashed (skipped where PostgreSQL is not installed)",
  { timeout: 120_000 },
  async () => {
    await using database = await startPostgresServer(POSTGRES_BIN ?? "");
    await using files = await pluginDirectory({ db: database.url });
    await using plugin = await buildPluginPackage({ id: "mine", wasm: FLAT });
    async function query(statement: string): Promise<readonly Record<string, unknown>[]> {
      const client = new Client(database.connection);
      await client.connect();
      try {
        return (await client.query<Record<string, unknown>>(statement)).rows;
      } finally {
        await client.end();
      }
    }
    await query(postgresSchema("mirror"));
    const config = join(files.path, "audit.json");
    const sink = { type: "postgres", connectionFile: "db", table: "mirror" };
    await writeFile(config, JSON.stringify({ sinks: [sink] }));
    const data = join(files.path, "data");
    const serve = ["serve", "--port", "0", "--data", data, "--audit-config", config];
    await using host = start([...serve, "--plugin", plugin.path, "--allow-unsigned"]);
    const [, base = ""] = /serves on (\S+)/.exec(await host.printed("Ctrl-C")) ?? [];
    const headers = { "content-type": "application/octet-stream" };
    const url = `${base}/plugins/mine/functions/echo`;
    async function callAgain(times: number): Promise<void> {
      for (let call = 0; call < times; call += 1) {
        const answer = await fetch(url, { method: "POST", headers, body: `${call}` });
        expect(await answer.text()).toBe(`${call}`);
      }
    }
    const mirroredCalls = async (): Promise<number> =>
      Number((await query("SELECT count(*) FROM mirror WHERE kind = 'call'"))[0]?.["count"]);
    const slowly = { timeout: 60_000, interval: 200 };

    await callAgain(10);
    await expect.poll(mirroredCalls, slowly).toBeGreaterThanOrEqual(10);
    // It goes while events come, and they go on coming.
    await Promise.all([callAgain(40), database.stop()]);
    await callAgain(20);
    await database.start();
    await callAgain(10);
    await expect.poll(mirroredCalls, slowly).toBeGreaterThanOrEqual(80);
    expect((await host.stop("SIGTERM")).exit).toBe(0);

    for (const kept of CLASSES) {
      const rows = await query(
        `SELECT entry_index, entry FROM mirror WHERE class = '${kept}' ORDER BY entry_index`,
      );
      const entries: string[] = [];
      const reader = await openLogReader(join(data, "audit", kept));
      const { sealedSize } = await reader.state();
      for await (const { bytes } of reader.read(0, sealedSize)) {
        entries.push(Buffer.from(bytes).toString());
      }
      expect(rows.map(({ entry_index }) => Number(entry_index))).toEqual([...rows.keys()]);
      // What a host says last of itself, it says when it has let go of the mirror.
      expect(rows.map(({ entry }) => String(entry))).toEqual(entries.slice(0, rows.length));
      expect(entries.length - rows.length).toBeLessThan(5);
    }
  },
);
