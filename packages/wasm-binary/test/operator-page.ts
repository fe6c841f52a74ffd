/** @module The page docs/wasm-operators.md, made from the table. */
import { type Operator, OPERATORS } from "@glovebox/wasm-binary/operators";

/** The whole page. */
export function operatorPage(): string {
  const rows = OPERATORS.map(({ name, immediates, operands, results, proposal, cost, ...rest }) => [
    bytesOf(rest),
    `\`${[name, ...immediates.map((kind) => `<${kind}>`)].join(" ")}\``,
    `\`${operands.join(" ")} → ${results.join(" ")}\``.replaceAll("` ", "`").replaceAll(" `", "`"),
    proposal,
    cost,
  ]);
  const table = [["bytes", "operator", "type", "proposal", "cost class"], ...rows];
  const widths =
    table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const [head = [], ...body] = table;
  return [
    "# WebAssembly operators",
    "",
    "Made from the opcode table of `@glovebox/wasm-binary`; a test rewrites it with `UPDATE=1`.",
    "In a type, `*` stands for what depends on more than the operator, and `addr` for i32 or i64 by the memory or table.",
    "",
    line(head),
    `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`,
    ...body.map(line),
    "",
  ].join("\n");
}

function bytesOf({ byte, sub }: Pick<Operator, "byte" | "sub">): string {
  const hex = (value: number): string => `0x${value.toString(16).padStart(2, "0")}`;
  return sub < 0 ? hex(byte) : `${hex(byte)} ${hex(sub)}`;
}
