/**
 * @module A bound on the work of one schema check. A plugin's author chooses the schema and, with its
 * output, the value too; ajv runs in the host's own thread and cannot be interrupted, so that a small
 * schema whose references or patterns multiply and a long list would stop the host (CWE-400,
 * CWE-1050, CWE-1333).
 *
 * A schema with every reference written out applies each of its parts to a value at most once, so
 * that parts × values is an upper bound. A pattern adds the ways in which it could match each text:
 * the manifest's rule bounds one match, not a match for each of many texts.
 */
import { type JsonSchema, waysToMatch } from "@glovebox/manifest-validator";

import { MAX_SCHEMA_WORK, SCHEMA_WORK_CHARACTERS, SCHEMA_WORK_WAYS } from "../limits.ts";

const LOCAL = /^#\/\$defs\/([^/]+)$/;

/** Answers whether a value, which may be attacker-controlled, can be checked against the schema. */
export function workLimit(schema: JsonSchema): (value: unknown) => boolean {
  if (typeof schema === "boolean") return () => true;
  const weights = new Map<number, number>();
  const weightFor = (characters: number): number => {
    // Rounded up to a power of two, so that few lengths are ever weighed.
    const most = characters === 0 ? 0 : 2 ** Math.ceil(Math.log2(characters));
    const weight = weights.get(most) ?? weightOf(schema, most);
    weights.set(most, weight);
    return weight;
  };
  const each = weightFor(0);
  const workOfText = ({ length }: string): number =>
    weightFor(length) + (each * length) / SCHEMA_WORK_CHARACTERS;

  return (value) => {
    let left = MAX_SCHEMA_WORK;
    const stack = [value];
    while (stack.length > 0) {
      const next = stack.pop();
      left -= typeof next === "string" ? workOfText(next) : each;
      if (Array.isArray(next)) {
        if (next.length * each > left) return false;
        for (const item of next as unknown[]) stack.push(item);
      } else if (typeof next === "object" && next !== null) {
        for (const [key, member] of Object.entries(next)) {
          // The member's own turn counts the rest.
          left -= workOfText(key) - each;
          stack.push(member);
        }
      }
      if (!(left >= 0)) return false; // also where infinite work has made it NaN
    }
    return true;
  };
}

/**
 * Parts of a schema with every reference written out, and the ways of its patterns to match a text
 * of so many characters; infinite where that never ends.
 */
function weightOf(root: object, characters: number): number {
  const defs: unknown = (root as { readonly $defs?: unknown }).$defs;
  const known = new Map<unknown, number>();
  const workOf = (pattern: string): number => waysToMatch(pattern, characters) / SCHEMA_WORK_WAYS;
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
      else if (keyword === "pattern" && typeof held === "string") sum += workOf(held);
      else if (typeof held === "object") sum += weigh(held);
      if (keyword === "patternProperties" && typeof held === "object" && held !== null) {
        for (const pattern of Object.keys(held)) sum += workOf(pattern);
      }
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
