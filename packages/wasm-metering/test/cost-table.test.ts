import { readFileSync, writeFileSync } from "node:fs";

import { assembleWat } from "@glovebox/testkit";
import { OPERATORS } from "@glovebox/wasm-binary/operators";
import { COST_TABLE, fuelUse } from "@glovebox/wasm-metering";
import { expect, it } from "vitest";

import { metered } from "./run-module.ts";

it("is what docs/fuel-costs.md prints (UPDATE=1 rewrites it)", () => {
  const file = new URL("../../../docs/fuel-costs.md", import.meta.url);
  if (process.env["UPDATE"] === "1") writeFileSync(file, page());
  expect(readFileSync(file, "utf8")).toBe(page());
});

it.each([
  "(table.fill (i32.const 0) (ref.null func) (local.get 0))",
  "(table.copy (i32.const 1) (i32.const 0) (local.get 0))",
  "(table.init $e (i32.const 0) (i32.const 0) (local.get 0))",
  "(drop (table.grow (ref.null func) (local.get 0)))",
])("%s costs 64 units for each element", async (operator) => {
  const bytes = await assembleWat(
    `(module (table 100 funcref) (func $f) (elem $e func ${"$f ".repeat(20)})
      (func (export "run") (param i32) ${operator}))`,
  );
  const module = metered(bytes);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes));
  const fuel = exports[module.fuelExport] as unknown as { value: bigint };
  const costOf = (length: number): bigint => {
    fuel.value = 1_000_000n;
    (exports["run"] as (length: number) => void)(length);
    return fuelUse(1_000_000n, fuel.value).used;
  };
  expect(costOf(20) - costOf(10)).toBe(640n);
});

function page(): string {
  const { version, classes, entry, perCatch } = COST_TABLE;
  const rows = Object.entries(classes).map(([name, { base, perLength }]) => {
    const examples = OPERATORS.filter(({ cost }) => cost === name).slice(0, 3);
    const length =
      perLength === undefined ? "" : `${perLength.units} for each ${2 ** perLength.shift}`;
    return [
      name,
      String(base),
      length,
      examples.map((operator) => `\`${operator.name}\``).join(", "),
    ];
  });
  const table = [["class", "units", "of its length", "such as"], ...rows];
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(...table.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const [head = [], ...body] = table;
  return [
    "# What WebAssembly costs in fuel",
    "",
    `Version ${version} of the cost table of \`@glovebox/wasm-metering\`; a test rewrites this page with \`UPDATE=1\`.`,
    "The class of each operator stands in [wasm-operators](wasm-operators.md).",
    `Entering a function costs ${entry.base}, and one more for each ${entry.localsPerUnit} of its locals above ${entry.freeLocals}.`,
    `Entering a block with catches costs ${perCatch} for each of them.`,
    "Lengths are in bytes (memory), elements (tables, arrays) or pages (`memory.grow`).",
    "",
    line(head),
    `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`,
    ...body.map(line),
    "",
  ].join("\n");
}
