/**
 * @module Whether a function's schema is a JSON Schema 2020-12 that the host can afford to apply.
 * `ajv` judges it against the meta-schema; it never compiles it here, because compiling writes code
 * from the schema. The rest is ours: references stay inside, do not recurse and do not multiply
 * beyond a bound ("exponential $ref"), patterns are cheap, `uniqueItems` is bounded. The schema is
 * attacker-controlled, and so is what it will be applied to.
 */
import type { JsonValue } from "@glovebox/core/json";
import { Ajv2020 } from "ajv/dist/2020.js";

import { MAX_UNIQUE_ITEMS } from "../limits.ts";
import { isMap, reportType, type RuleContext } from "../rule.ts";
import { childPointer } from "../yaml/source-tree.ts";
import { SCHEMA_KEYWORDS } from "./keyword-table.ts";
import { patternObjection } from "./pattern-cost.ts";
import { checkReferences } from "./references.ts";
import { type Subschema, subschemasOf } from "./subschemas.ts";

const DIALECT = "https://json-schema.org/draft/2020-12/schema";
// One wrong schema fails many branches of the meta-schema; the first few say it.
const MAX_META_PROBLEMS = 5;

let metaValidator: Ajv2020 | undefined;

/** Reports what is wrong with the schema at a pointer. */
export function checkFunctionSchema(context: RuleContext, pointer: string): void {
  const schema = context.valueAt(pointer);
  if (typeof schema === "boolean" || schema === undefined) return;
  if (!isMap(schema))
    return reportType(context, pointer, "a JSON Schema: a map or a boolean", schema);
  const dialect = schema["$schema"];
  if (dialect !== undefined && dialect !== DIALECT) {
    context.report("MANIFEST_SCHEMA", `${pointer}/$schema`, {
      what: "the schema is of another dialect",
      expected: DIALECT,
      received: dialect,
    });
    return;
  }
  if (!matchesMetaSchema(context, pointer, schema)) return;
  const all = [...subschemasOf({ pointer, value: schema })];
  for (const subschema of all) for (const check of SUBSCHEMA_CHECKS) check(context, subschema);
  checkReferences(context, { pointer, value: schema }, all);
}

function matchesMetaSchema(context: RuleContext, pointer: string, schema: JsonValue): boolean {
  metaValidator ??= new Ajv2020({ allErrors: true, logger: false, validateFormats: false });
  if (metaValidator.validateSchema(schema as object, false) === true) return true;
  const seen = new Set<string>();
  for (const error of metaValidator.errors ?? []) {
    if (seen.has(error.instancePath) || seen.size >= MAX_META_PROBLEMS) continue;
    seen.add(error.instancePath);
    const at = pointer + error.instancePath;
    context.report("MANIFEST_SCHEMA", at, {
      what: "the schema is not valid JSON Schema 2020-12",
      expected: `a value that ${error.message ?? "fits the meta-schema"}${choicesOf(error.params)}`,
      received: context.valueAt(at),
    });
  }
  return false;
}

function choicesOf(params: Readonly<Record<string, unknown>>): string {
  const choices = params["allowedValues"];
  return Array.isArray(choices) ? `: ${choices.join(", ")}` : "";
}

type SubschemaCheck = (context: RuleContext, subschema: Subschema) => void;

/** Refused keywords are errors always, unknown ones like unknown keys. */
const keywordsAreKnown: SubschemaCheck = (context, { pointer, value }) => {
  for (const keyword of Object.keys(value)) {
    const kind = SCHEMA_KEYWORDS.get(keyword);
    const at = childPointer(pointer, keyword);
    if (kind === undefined) {
      context.reportUnknownKey(at, {
        expected: "a keyword of JSON Schema 2020-12",
        received: keyword,
      });
    } else if (kind === "refused") {
      context.report("MANIFEST_SCHEMA", at, {
        what: "a schema may not name itself or refer beyond itself",
        expected: "references to #/$defs/NAME only",
        received: keyword,
      });
    }
  }
};

/** Every regular expression compiles and cannot backtrack for long. */
const patternsAreCheap: SubschemaCheck = (context, { pointer, value }) => {
  const pattern = value["pattern"];
  if (typeof pattern === "string") checkPattern(context, `${pointer}/pattern`, pattern);
  const byPattern = value["patternProperties"];
  for (const key of isMap(byPattern) ? Object.keys(byPattern) : []) {
    checkPattern(context, childPointer(`${pointer}/patternProperties`, key), key);
  }
};

/** Comparing all pairs of items is quadratic, so `uniqueItems` needs a `maxItems`. */
const uniqueItemsAreBounded: SubschemaCheck = (context, { pointer, value }) => {
  const maxItems = value["maxItems"];
  if (value["uniqueItems"] !== true) return;
  if (typeof maxItems === "number" && maxItems <= MAX_UNIQUE_ITEMS) return;
  context.report("MANIFEST_SCHEMA_COST", `${pointer}/uniqueItems`, {
    what: "unique items are compared in pairs",
    expected: `a maxItems of at most ${MAX_UNIQUE_ITEMS} beside it`,
    received: maxItems,
  });
};

const SUBSCHEMA_CHECKS: readonly SubschemaCheck[] = [
  keywordsAreKnown,
  patternsAreCheap,
  uniqueItemsAreBounded,
];

function checkPattern(context: RuleContext, pointer: string, pattern: string): void {
  if (!compiles(pattern)) {
    context.report("MANIFEST_SCHEMA", pointer, {
      what: "a pattern is not a regular expression",
      expected: "an ECMA-262 regular expression with the flag u",
      received: pattern,
    });
    return;
  }
  const objection = patternObjection(pattern);
  if (objection === undefined) return;
  context.report("MANIFEST_SCHEMA_COST", pointer, {
    what: `a pattern could take too long to match: ${objection}`,
    received: pattern,
  });
}

function compiles(pattern: string): boolean {
  try {
    return new RegExp(pattern, "u") instanceof RegExp;
  } catch {
    return false;
  }
}
