import { POSTGRES_BIN, type PostgresServer, startPostgresServer } from "@glovebox/testkit/servers";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import "@glovebox/testkit/matchers";

import { createPostgresSink, postgresSchema } from "#src/sinks/postgres";

import { HOSTILE, NEVER, sentEvent, TIME } from "./sent-event.ts";

test.each(["", "Audit", "a;b", 'a"b', "a.b.c", "1a", "a b", "a".repeat(64)])(
  "refuses the table %j",
  (table) => {
    const client = { query: () => Promise.resolve() };
    expect(() => createPostgresSink({ client, table })).toThrowCode("AUDITOR_OPTION");
    expect(() => postgresSchema(table)).toThrowCode("AUDITOR_OPTION");
  },
);

describe.skipIf(POSTGRES_BIN === undefined)(
  "a mirror in PostgreSQL (skipped where its server is not installed: Debian's postgresql)",
  () => {
    let server: PostgresServer;
    let client: Client;
    beforeAll(async () => {
      server = await startPostgresServer(POSTGRES_BIN ?? "");
      client = new Client(server.connection);
      await client.connect();
    }, 60_000);
    afterAll(async () => {
      await client.end();
      await server[Symbol.asyncDispose]();
    });

    test("holds every event once, whatever its text, with the very bytes of the log", async () => {
      await client.query(postgresSchema("mirror"));
      await client.query(postgresSchema("mirror"));
      await using sink = createPostgresSink({ client, table: "mirror" });
      const hostile = sentEvent({ code: HOSTILE, rule: HOSTILE, error: HOSTILE }, 1, HOSTILE);
      const batch = [sentEvent({}, 0), hostile, sentEvent({ kind: "call", success: true }, 2, "p")];
      expect(await sink.send(batch, NEVER)).toEqual({ rejected: 0 });
      // A batch that comes twice, and one that says something else of an index: the first stays.
      await sink.send([...batch, sentEvent({ kind: "operator" }, 1)], NEVER);
      const { rows } = await client.query<Record<string, unknown>>(
        "SELECT * FROM mirror ORDER BY entry_index",
      );
      expect(rows).toHaveLength(3);
      expect(rows.map(({ entry }) => String(entry))).toEqual(batch.map(({ json }) => json));
      expect(rows[2]).toMatchObject({
        origin: "host.example/security",
        entry_index: "2",
        class: "security",
        recorded_at: new Date(TIME),
        kind: "call",
        success: true,
        plugin_id: "p",
        code: null,
      });
      expect(String(rows[1]?.["code"])).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
      expect(String(rows[1]?.["code"])).toContain("DROP TABLE");
    });

    test("takes a whole batch in one statement", async () => {
      await client.query(postgresSchema());
      await using sink = createPostgresSink({ client });
      await sink.send(
        Array.from({ length: 256 }, (_, n) => sentEvent({}, n)),
        NEVER,
      );
      const { rows } = await client.query<{ count: string }>("SELECT count(*) FROM audit_events");
      expect(rows[0]?.count).toBe("256");
    });
  },
);
