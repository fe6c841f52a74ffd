/**
 * @module The functions block: names of exports, and a JSON Schema for what goes in and out.
 */
import { checkFunctionSchema } from "../function-schema/check-schema.ts";
import { MAX_FUNCTIONS } from "../limits.ts";
import { isMap, type JsonMap, mapAt, type Rule, reportType, type RuleContext } from "../rule.ts";
import { childPointer } from "../yaml/source-tree.ts";

const FUNCTION_NAME = /^[\x21-\x7e]{1,128}$/;
const FUNCTION_KEYS = ["input", "output"];

/** Each entry is named like an export and is a map of `input` and `output`. */
export const functionEntriesAreValid: Rule = (context) => {
  const functions = mapAt(context, "/functions") ?? {};
  const count = Object.keys(functions).length;
  if (count > MAX_FUNCTIONS) {
    context.report("MANIFEST_SIZE", "/functions", {
      what: "too many functions are described",
      expected: `at most ${MAX_FUNCTIONS} functions`,
      received: count,
    });
  }
  for (const [name, entry] of Object.entries(functions)) {
    const pointer = childPointer("/functions", name);
    if (!FUNCTION_NAME.test(name)) {
      context.report("MANIFEST_FUNCTION", pointer, {
        expected: "1–128 printable ASCII characters without spaces",
        received: name,
      });
    }
    if (isMap(entry)) checkKeys(context, pointer, entry);
    else reportType(context, pointer, "a map of input and output", entry);
  }
};

/** Each schema is a valid JSON Schema 2020-12 whose cost is bounded. */
export const functionSchemasAreValid: Rule = (context) => {
  const functions = Object.entries(mapAt(context, "/functions") ?? {});
  for (const [name, entry] of functions.slice(0, MAX_FUNCTIONS)) {
    for (const key of isMap(entry) ? FUNCTION_KEYS : []) {
      const pointer = childPointer(childPointer("/functions", name), key);
      if (context.valueAt(pointer) !== undefined) checkFunctionSchema(context, pointer);
    }
  }
};

function checkKeys(context: RuleContext, pointer: string, entry: JsonMap): void {
  for (const key of Object.keys(entry)) {
    if (FUNCTION_KEYS.includes(key)) continue;
    context.reportUnknownKey(childPointer(pointer, key), {
      expected: `one of ${FUNCTION_KEYS.join(", ")}`,
      received: key,
    });
  }
}
