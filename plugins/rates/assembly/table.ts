/** @module The table of rates: from the server, into the file, and from the file. */
import {
  config,
  encodeText,
  fail,
  failed,
  httpGet,
  JsonValue,
  logFailure,
  logWarning,
  readFile,
  tryParseJson,
  writeFile,
} from "@glovebox/plugin-sdk/assembly";

/** A table and when it was fetched, in seconds since 1970. */
export class Table {
  constructor(
    readonly base: string,
    readonly rates: JsonValue,
    readonly fetchedAt: i64,
  ) {}
}

const FILE = "table.json";
const MAX_TABLE_BYTES = 16_384;
/** The largest whole number that JSON holds exactly. */
export const MAX_SECONDS: f64 = 9_007_199_254_740_991;
const MAX_RATES = 500;
const OK = 200;

/** Fetches the table; lets the call fail when there is none. */
export function fetchTable(now: i64): Table {
  const answer = httpGet(config("source", ""));
  if (answer.status == OK && answer.body.length <= MAX_TABLE_BYTES) {
    const value = tryParseJson(answer.body);
    const table = value === null ? (null as Table | null) : tableOf(value, now);
    if (table !== null) return table;
  }
  logFailure("the source answered " + answer.status.toString());
  fail("The source of rates gave no table.");
  return new Table("", JsonValue.object(), 0);
}

/** Keeps the table; one that cannot be kept is fetched again the next time. */
export function keepTable(table: Table): void {
  const text = JsonValue.object()
    .set("base", JsonValue.text(table.base))
    .set("rates", table.rates)
    .set("fetched_at", JsonValue.number(<f64>table.fetchedAt))
    .toString();
  if (!writeFile(FILE, encodeText(text)) && !failed()) logWarning("the table could not be kept");
}

/** The table that was kept; `null` where there is none that is whole. */
export function keptTable(): Table | null {
  const bytes = readFile(FILE, 2 * MAX_TABLE_BYTES);
  if (bytes === null) return null;
  const value = tryParseJson(bytes);
  if (value === null) return null;
  const at = value.get("fetched_at");
  // Converting a number beyond i64 would trap.
  const isTime = at.isNumber && at.number >= 0 && at.number <= MAX_SECONDS;
  return isTime ? tableOf(value, <i64>at.number) : null;
}

function tableOf(value: JsonValue, fetchedAt: i64): Table | null {
  const base = value.get("base");
  const rates = value.get("rates");
  if (!base.isText || !isCurrency(base.text) || !rates.isObject) return null;
  const names = rates.members.keys();
  if (names.length > MAX_RATES) return null;
  for (let at = 0; at < names.length; at++) {
    if (!isCurrency(names[at]) || !rates.get(names[at]).isNumber) return null;
  }
  return new Table(base.text, rates, fetchedAt);
}

/** Three capital letters, as in ISO 4217. */
function isCurrency(name: string): bool {
  if (name.length != 3) return false;
  for (let at = 0; at < 3; at++) {
    const code = name.charCodeAt(at);
    if (code < 0x41 || code > 0x5a) return false;
  }
  return true;
}
