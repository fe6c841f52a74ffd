/**
 * @module A bound on the work of one schema check. A plugin's author chooses the schema and, with its
 * output, the value too; ajv runs in the host's own thread and cannot be interrupted, so that a small
 * schema whose references multiply and a long list would stop the host (CWE-400, CWE-1050).
 *
 * A schema with every reference written out applies each of its parts to a value at most once, so
 * that parts × values is an upper bound. What a regular expression costs is the manifest's rule.
 */
import type { JsonSchema } from "@glovebox/manifest-validator";

import { MAX_SCHEMA_WORK, SCHEMA_WORK_CHARACTERS } from "../limits.ts";

const LOCAL = /^#\/\$defs\/([^/]+)$/;

/** Most values, long texts counted several times, that a schema may be checked against. */
export function mostValues(schema: JsonSchema): number {
  return typeof schema === "boolean" ? Infinity : MAX_SCHEMA_WORK / weightOf(schema);
}

/** Whether a value, which may be attacker-controlled, consists of at most `max` values. */
export function hasAtMost(value: unknown, max: number): boolean {
  if (max === Infinity) return true;
  let left = max;
  const stack = [value];
  while (stack.length > 0) {
    const next = stack.pop();
    left -= 1;
    if (typeof next === "string") left -= next.length / SCHEMA_WORK_CHARACTERS;
    else if (Array.isArray(next)) {
      if (next.length > left) return false;
      for (const item of next as unknown[]) stack.push(item);
    } else if (typeof next === "object" && next !== null) {
      for (const [key, member] of Object.entries(next)) {
        left -= key.length / SCHEMA_WORK_CHARACTERS;
        stack.push(member);
      }
    }
    if (left < 0) return false;
  }
  return true;
}

/** Parts of a schema with every reference written out; infinite where that never ends. */
function weightOf(root: object): number {
  const defs: unknown = (root as { readonly $defs?: unknown }).$defs;
  const known = new Map<unknown, number>();
  const weigh = (part: unknown): number => {
    if (Array.isArray(part)) return part.reduce((sum: number, item) => sum + weigh(item), 0);
    if (typeof part !== "object" || part === null) return 1;
    const before = known.get(part);
    if (before !== undefined) return before;
    known.set(part, Infinity); // until it is known: what contains itself has no end
    let sum = 1;
    for (const [keyword, held] of Object.entries(part)) {
      if (part === root && keyword === "$defs") continue;
      if (keyword === "$ref" && typeof held === "string") sum += weigh(targetOf(defs, held));
      else if (typeof held === "object") sum += weigh(held);
      // Every item is compared with every other.
      if (keyword === "maxItems" && Object.hasOwn(part, "uniqueItems")) sum += Number(held);
    }
    known.set(part, sum);
    return sum;
  };
  return weigh(root);
}

function targetOf(defs: unknown, reference: string): unknown {
  const name = LOCAL.exec(reference)?.[1]?.replaceAll("~1", "/").replaceAll("~0", "~") ?? "";
  const isKnown = typeof defs === "object" && defs !== null && Object.hasOwn(defs, name);
  return isKnown ? (defs as Readonly<Record<string, unknown>>)[name] : undefined;
}
