import { readFile, writeFile } from "node:fs/promises";

import { EVENT_KINDS, RETENTION_CLASSES } from "@glovebox/auditor";
import { expect, expectTypeOf, test } from "vitest";

import {
  EVENT_MEMBERS,
  type LoggedEvent,
  type TabledEvent,
  USAGE_MEMBERS,
} from "#src/event/event-members";

const PAGE = new URL("../../../../docs/audit-events.md", import.meta.url);

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, at) =>
    Math.max(title.length, ...rows.map((row) => (row[at] ?? "").length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

function page(): string {
  const kinds = Object.entries(EVENT_KINDS).map(([name, entry]) => [
    `\`${name}\``,
    entry.class,
    "own" in entry ? "the auditor" : "the host",
    "reserved" in entry ? "kept" : "",
    entry.summary,
  ]);
  const members = Object.entries(EVENT_MEMBERS).map(([name, entry]) => [
    `\`${name}\``,
    entry.type,
    entry.from,
    "required" in entry ? "always" : "",
    entry.summary,
  ]);
  const classes = Object.entries(RETENTION_CLASSES).map(([name, entry]) => [
    `\`${name}\``,
    String(entry.days),
    entry.summary,
  ]);
  return `# Events of the audit log, format 1

This page is made from the tables in the code (\`event-kinds.ts\`, \`event-members.ts\` of @glovebox/auditor); \`UPDATE=1 vitest run --project auditor event-reference\` writes it anew.

An entry of the log is one event as canonical JSON (RFC 8785): an object with the members below and no other, sorted, each once.
Unknown kinds, unknown members, duplicate keys and half surrogate pairs are refused, when an event is written and when one is read.
Text may hold any other character; encode it for the medium before you show it.

## Kinds

A kind belongs to one retention class. Where room is kept, a flood of other events does not keep it out.

${table(["kind", "class", "written by", "room", "what happened"], kinds)}

## Members

${table(["member", "type", "given by", "there", "what it says"], members)}

A \`resourceUsage\` has the members ${USAGE_MEMBERS.map((name) => `\`${name}\``).join(", ")}; what is not measured is \`null\`.

## Retention classes

Each class is a log of its own, because only the beginning of a log can be pruned.

${table(["class", "days by default", "what it keeps"], classes)}
`;
}

test("docs/audit-events.md says what the tables say", async () => {
  if (process.env["UPDATE"] === "1") await writeFile(PAGE, page());
  expect(await readFile(PAGE, "utf8")).toBe(page());
});

test("the type of an event is what the table says", () => {
  expectTypeOf<{ [Name in keyof TabledEvent]: TabledEvent[Name] }>().toEqualTypeOf<LoggedEvent>();
  expect(Object.keys(EVENT_MEMBERS)).toHaveLength(24);
});
