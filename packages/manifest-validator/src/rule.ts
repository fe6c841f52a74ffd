/**
 * @module What a rule is, and the few questions that all rules ask of the data. A rule looks at one
 * aspect, reports what is wrong with it, and stays silent about what another rule reports: a parent
 * of the wrong type is one problem, not one for each of its members.
 */
import type { JsonValue } from "@glovebox/core/json";

import type { ManifestErrorCode } from "./errors.ts";
import type { ProblemFacts } from "./problem.ts";
import { childPointer } from "./yaml/source-tree.ts";

/** One named check. */
export type Rule = (context: RuleContext) => void;

/** The data, and where to report. */
export interface RuleContext {
  /** The value at a JSON pointer, or `undefined`. */
  valueAt(pointer: string): JsonValue | undefined;
  /** Reports a problem at a value. */
  report(code: ManifestErrorCode, pointer: string, facts?: ProblemFacts): void;
  /** Reports a key that is not known: an error in strict mode, else a warning. */
  reportUnknownKey(pointer: string, facts: ProblemFacts): void;
}

/** A map of the data. */
export type JsonMap = { readonly [key: string]: JsonValue };

/** Whether a value is a map. */
export function isMap(value: JsonValue | undefined): value is JsonMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The map at a pointer; `undefined` when there is none, which is not this function's to report. */
export function mapAt(context: RuleContext, pointer: string): JsonMap | undefined {
  const value = context.valueAt(pointer);
  return isMap(value) ? value : undefined;
}

/** The text at a pointer; reports anything else that stands there. */
export function textAt(context: RuleContext, pointer: string): string | undefined {
  const value = context.valueAt(pointer);
  if (typeof value === "string") return value;
  if (value !== undefined) reportType(context, pointer, "text", value);
  return undefined;
}

/** The list at a pointer, at most `max` long; reports anything else that stands there. */
export function listAt(
  context: RuleContext,
  pointer: string,
  max: number,
): readonly JsonValue[] | undefined {
  const value = context.valueAt(pointer);
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) {
    reportType(context, pointer, "a list", value);
    return undefined;
  }
  if (value.length <= max) return value as readonly JsonValue[];
  context.report("MANIFEST_SIZE", pointer, {
    what: "a list is too long",
    expected: `at most ${max} entries`,
    received: value.length,
  });
  return undefined;
}

/** Reports the boolean at a pointer when it is something else. */
export function checkBoolean(context: RuleContext, pointer: string): void {
  const value = context.valueAt(pointer);
  if (value !== undefined && typeof value !== "boolean") {
    reportType(context, pointer, "true or false", value);
  }
}

/** Reports each key of `required` that the map at a pointer lacks; silent when there is no map. */
export function checkRequired(
  context: RuleContext,
  pointer: string,
  required: readonly string[],
): void {
  const map = mapAt(context, pointer);
  for (const key of map === undefined ? [] : required) {
    if (Object.hasOwn(map ?? {}, key)) continue;
    context.report("MANIFEST_MISSING", pointer, {
      what: `the key ${key} is missing`,
      expected: `a key ${key}`,
    });
  }
}

/** Reports a value of the wrong type. */
export function reportType(
  context: RuleContext,
  pointer: string,
  expected: string,
  received: JsonValue,
): void {
  context.report("MANIFEST_TYPE", pointer, {
    what: "a value has the wrong type",
    expected,
    received,
  });
}

/** What each text of a list must be, and the problem when it is not. */
export interface TextCheck {
  readonly code: ManifestErrorCode;
  readonly expected: string;
  readonly isValid: (text: string) => boolean;
}

/** Reports each entry of the list at a pointer that is no text, or not the expected one. */
export function checkTexts(
  context: RuleContext,
  pointer: string,
  max: number,
  check: TextCheck,
): void {
  for (const [index, entry] of (listAt(context, pointer, max) ?? []).entries()) {
    const place = childPointer(pointer, index);
    if (typeof entry !== "string") reportType(context, place, "text", entry);
    else if (!check.isValid(entry)) {
      context.report(check.code, place, { expected: check.expected, received: entry });
    }
  }
}

/** Reports each of the keys of a map whose value is no whole number from `min` that a double holds. */
export function checkWholeNumbers(
  context: RuleContext,
  pointer: string,
  keys: readonly string[],
  min: number,
): void {
  const map = mapAt(context, pointer) ?? {};
  for (const key of keys) {
    const value = Object.hasOwn(map, key) ? map[key] : undefined;
    const place = childPointer(pointer, key);
    if (value === undefined) continue;
    if (typeof value !== "number") reportType(context, place, "a whole number", value);
    else if (!Number.isSafeInteger(value) || value < min) {
      context.report("MANIFEST_LIMIT", place, {
        expected: `a whole number from ${min} to ${Number.MAX_SAFE_INTEGER}`,
        received: value,
      });
    }
  }
}
