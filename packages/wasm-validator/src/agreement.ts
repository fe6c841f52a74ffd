/**
 * @module Whether the engine and this package read the same imports and exports in the same bytes.
 * Where two readers of one file differ, a check made by one says nothing of what the other runs
 * (CWE-436). The engine's answer comes from another process and is judged as data.
 */
import type { EngineVerdict } from "@glovebox/core/ports";

/** The first difference in words, or `undefined` when there is none. */
export function findDisagreement(own: EngineVerdict, engine: EngineVerdict): string | undefined {
  return (
    compareLists("imports", own.imports, engine.imports, ["module", "name", "kind"]) ??
    compareLists("exports", own.exports, engine.exports, ["name", "kind"])
  );
}

function compareLists(
  what: string,
  own: readonly object[],
  engine: unknown,
  members: readonly string[],
): string | undefined {
  if (!Array.isArray(engine)) return `the engine lists no ${what}`;
  if (engine.length !== own.length) {
    return `the engine reads ${engine.length} ${what}, this validator ${own.length}`;
  }
  for (const [index, entry] of own.entries()) {
    const other: unknown = engine[index];
    const same = members.every((member) => memberOf(entry, member) === memberOf(other, member));
    if (!same) return `the engine and this validator differ about entry ${index} of the ${what}`;
  }
  return undefined;
}

function memberOf(entry: unknown, member: string): unknown {
  return typeof entry === "object" && entry !== null && Object.hasOwn(entry, member)
    ? (entry as Readonly<Record<string, unknown>>)[member]
    : undefined;
}
