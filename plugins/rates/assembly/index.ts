/**
 * @module An example plugin that uses both capabilities: it fetches a table of exchange rates over
 * HTTP and keeps it in a file of its granted folder, from which it answers for an hour. The table is
 * a server's, and the file may hold anything: both are attacker-controlled.
 */
import {
  fail,
  failed,
  Fields,
  JsonValue,
  readInputFields,
  run,
} from "@glovebox/plugin-sdk/assembly";

import { fetchTable, keepTable, keptTable, MAX_SECONDS, Table } from "./table";

const DEFAULT_MAX_AGE_SECONDS: i64 = 3_600;
const MAX_AGE_CEILING: i64 = 31_536_000;

export function query_datasource(): i32 {
  return run(() => {
    const input = readInputFields();
    const kind = input.text("query_type", 16);
    const parameters = input.object("parameters");
    const currency = parameters.textOr("currency", 3, "");
    const maxAge = parameters.integerOr("max_age_s", 0, MAX_AGE_CEILING, DEFAULT_MAX_AGE_SECONDS);
    const now = input
      .object("context")
      .object("custom")
      .integerOr("now", 0, <i64>MAX_SECONDS, 0);
    if (!failed() && kind != "Select") fail('"query_type" must be "Select".');
    if (failed()) return JsonValue.nothing();

    const kept = keptTable();
    const isFresh = kept !== null && now >= kept.fetchedAt && now - kept.fetchedAt < maxAge;
    const table = isFresh ? kept! : fetchTable(now);
    if (failed()) return JsonValue.nothing();
    if (!isFresh) keepTable(table);
    return answerOf(table, currency, isFresh ? "file" : "network");
  });
}

function answerOf(table: Table, currency: string, from: string): JsonValue {
  const rows = JsonValue.array();
  const names = table.rates.members.keys();
  let count = 0;
  for (let at = 0; at < names.length; at++) {
    if (currency.length != 0 && names[at] != currency) continue;
    const values = JsonValue.array();
    values.push(JsonValue.text(names[at]));
    values.push(table.rates.get(names[at]));
    rows.push(JsonValue.object().set("values", values).set("metadata", JsonValue.object()));
    count++;
  }
  const columns = JsonValue.array();
  columns.push(column("currency", "Text"));
  columns.push(column("rate", "Float"));
  return JsonValue.object()
    .set("rows", rows)
    .set("columns", columns)
    .set("total_count", JsonValue.number(count))
    .set("execution_time_ms", JsonValue.number(0))
    .set(
      "metadata",
      JsonValue.object().set("base", JsonValue.text(table.base)).set("from", JsonValue.text(from)),
    );
}

function column(name: string, type: string): JsonValue {
  return JsonValue.object()
    .set("name", JsonValue.text(name))
    .set("data_type", JsonValue.text(type))
    .set("nullable", JsonValue.bool(false))
    .set("metadata", JsonValue.object());
}
