/**
 * @module A mirror in PostgreSQL: a row per event with the columns that people look for, and the
 * entry itself as bytes, so that a row can be compared with the log. All values are parameters;
 * text that PostgreSQL cannot hold (U+0000) is made visible in its column and kept in the bytes.
 * A row that is there already stays as it is.
 */
import { encodeLogLine } from "@glovebox/core/encode";
import { received } from "@glovebox/core/errors";

import { AuditorError } from "../errors.ts";
import type { Sink, SinkEvent } from "./sink.ts";

/** What is needed of a client; `pg`'s `Client` and `Pool` have it. */
export interface SqlClient {
  query(text: string, values?: readonly unknown[]): Promise<unknown>;
}

/** Where rows go. */
export interface PostgresOptions {
  /** Names the sink in the log, and its position. Default: that of the protocol. */
  readonly name?: string;
  /** A connected client, or a pool; closing it is its owner's. */
  readonly client: SqlClient;
  /** `table` or `schema.table`: lower-case letters, digits and underscores. Default `audit_events`. */
  readonly table?: string;
}

const TABLE = /^[a-z_][a-z0-9_]{0,62}(?:\.[a-z_][a-z0-9_]{0,62})?$/;

/** Column → type → value. */
const COLUMNS: readonly (readonly [string, string, (sent: SinkEvent) => unknown])[] = [
  ["origin", "text", ({ origin }) => origin],
  ["entry_index", "bigint", ({ index }) => index],
  ["class", "text", (sent) => sent.class],
  ["recorded_at", "timestamptz", ({ event }) => new Date(event.time).toISOString()],
  ["kind", "text", ({ event }) => event.kind],
  ["success", "boolean", ({ event }) => event.success],
  ["plugin_id", "text", ({ event }) => visible(event.pluginId)],
  ["actor", "text", ({ event }) => visible(event.actor)],
  ["subject", "text", ({ event }) => visible(event.subject)],
  ["code", "text", ({ event }) => visible(event.code)],
  ["rule", "text", ({ event }) => visible(event.rule)],
  ["call_id", "text", ({ event }) => visible(event.callId)],
  ["trace_id", "text", ({ event }) => visible(event.traceId)],
  ["entry", "bytea", ({ json }) => Buffer.from(json)],
];

/** The statement that makes the table, for whoever administers the database. */
export function postgresSchema(table = "audit_events"): string {
  const columns = COLUMNS.map(([name, type]) => `${name} ${type}`);
  return `CREATE TABLE IF NOT EXISTS ${checked(table)} (${columns.join(", ")}, PRIMARY KEY (origin, entry_index))`;
}

/**
 * Mirrors events into a table.
 *
 * @throws {@link AuditorError} (`AUDITOR_OPTION`) for a table's name that is none
 */
export function createPostgresSink({
  name = "postgres",
  client,
  table = "audit_events",
}: PostgresOptions): Sink {
  const target = checked(table);
  return {
    name,
    async send(batch) {
      const values = batch.flatMap((sent) => COLUMNS.map(([, , value]) => value(sent)));
      const rows = batch.map(
        (_, row) =>
          `(${COLUMNS.map((__, column) => `$${row * COLUMNS.length + column + 1}`).join(", ")})`,
      );
      const columns = COLUMNS.map(([column]) => column).join(", ");
      await client.query(
        `INSERT INTO ${target} (${columns}) VALUES ${rows.join(", ")} ON CONFLICT (origin, entry_index) DO NOTHING`,
        values,
      );
      return { rejected: 0 };
    },
    async [Symbol.asyncDispose]() {
      // The client is its owner's.
    },
  };
}

/** A name cannot be a parameter. */
function checked(table: string): string {
  if (TABLE.test(table)) return table;
  const message = `table is lower-case letters, digits and underscores; received ${received(table)}`;
  throw new AuditorError("AUDITOR_OPTION", { message });
}

function visible(text: string | undefined): string | null {
  return text === undefined ? null : encodeLogLine(text);
}
