/** @module Modules from npm do their work metered, with right answers. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { expect, it } from "vitest";

import { metered } from "./run-module.ts";

const require = createRequire(import.meta.url);
const { resolve } = require;

/** What the test uses of sql.js, which brings no types. */
interface SqlJs {
  readonly Database: new () => {
    run(query: string): void;
    exec(query: string): readonly { readonly values: unknown }[];
  };
}
type Instantiate = (
  imports: WebAssembly.Imports,
  receive: (instance: WebAssembly.Instance) => void,
) => object;
const initSqlJs = require("sql.js") as (options: {
  readonly instantiateWasm: Instantiate;
}) => Promise<SqlJs>;

const PAGES = 32_768;
const TABLE = 100_000;

it.each([
  "@dprint/json/plugin.wasm",
  "sql.js/dist/sql-wasm.wasm",
  "web-tree-sitter/web-tree-sitter.wasm",
])("%s stays valid", (file) => {
  const module = metered(readFileSync(resolve(file)), {
    maxMemoryPages: PAGES,
    maxTableElements: TABLE,
  });
  expect(WebAssembly.validate(module.bytes)).toBe(true);
});

it("sql.js answers queries and says what they cost", async () => {
  const original = readFileSync(resolve("sql.js/dist/sql-wasm.wasm"));
  const module = metered(original, { maxMemoryPages: PAGES, maxTableElements: TABLE });
  let fuel = { value: 0n };
  const { Database } = await initSqlJs({
    instantiateWasm(imports, receive) {
      const instance = new WebAssembly.Instance(new WebAssembly.Module(module.bytes), imports);
      fuel = instance.exports[module.fuelExport] as unknown as typeof fuel;
      fuel.value = 2n ** 62n;
      receive(instance);
      return instance.exports;
    },
  });
  const database = new Database();
  database.run("create table t (a integer, b text)");
  database.run("insert into t values (1, 'one'), (2, 'two'), (3, 'three')");
  const costOf = (query: string): bigint => {
    const before = fuel.value;
    expect(database.exec(query)[0]?.values).toEqual([[6, "onetwothree"]]);
    return before - fuel.value;
  };
  const query = "select sum(a), group_concat(b, '') from t";
  costOf(query);
  const cost = costOf(query);
  expect(cost).toBeGreaterThan(1_000n);
  expect(costOf(query)).toBe(cost);
});
