/**
 * @module The schemas of a plugin's functions, compiled once when the plugin is loaded. The
 * manifest validator has bounded what they may contain (keywords, references, cost of patterns);
 * values are read by the bounded JSON parser before they come here.
 */
import { allow, type Decision, refuse } from "@glovebox/core/decision";
import { received, sanitizeForMessage } from "@glovebox/core/errors";
import type { JsonSchema, PluginManifest } from "@glovebox/manifest-validator";
import { Ajv2020 } from "ajv/dist/2020.js";

import { MAX_SCHEMA_MESSAGES } from "../limits.ts";
import { linearPattern } from "./linear-pattern.ts";
import { workLimit } from "./schema-work.ts";

/** Says what is wrong with a value; `undefined` when nothing is. */
export type SchemaCheck = (value: unknown) => string | undefined;

/** The checks of one function; absent = anything. */
export interface FunctionSchemas {
  readonly input?: SchemaCheck;
  readonly output?: SchemaCheck;
}

/** Compiles the schemas of all functions. */
export function compileSchemas(
  functions: PluginManifest["functions"],
): Decision<ReadonlyMap<string, FunctionSchemas>> {
  const compiled = new Map<string, FunctionSchemas>();
  if (Object.keys(functions).length === 0) return allow("call.schemas", compiled);
  const ajv = new Ajv2020({
    // Formats are annotations in 2020-12 (core specification 7.2.1), and logging is not ajv's task.
    validateFormats: false,
    strict: false,
    logger: false,
    // A property of Object.prototype is none of the value's.
    ownProperties: true,
    addUsedSchema: false,
    // Inlined, definitions that are referred to often multiply the code: minutes for 80 kB of manifest.
    inlineRefs: false,
    code: { regExp: linearPattern },
  });
  for (const [name, { input, output }] of Object.entries(functions)) {
    try {
      compiled.set(name, {
        ...(input === undefined ? {} : { input: compile(ajv, input) }),
        ...(output === undefined ? {} : { output: compile(ajv, output) }),
      });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const reason = `a schema of ${received(name)} does not compile: ${sanitizeForMessage(why)}`;
      return refuse("RUNTIME_SCHEMA", "call.schemas", reason);
    }
  }
  return allow("call.schemas", compiled);
}

function compile(ajv: Ajv2020, schema: JsonSchema): SchemaCheck {
  const validate = ajv.compile(schema);
  const isWithinLimit = workLimit(schema);
  return (value) => {
    if (!isWithinLimit(value)) return "has more values than its schema can be checked against";
    if (validate(value)) return undefined;
    const messages = (validate.errors ?? [])
      .slice(0, MAX_SCHEMA_MESSAGES)
      .map(({ instancePath, message = "is wrong" }) => `${instancePath || "/"} ${message}`);
    return sanitizeForMessage(messages.join("; "));
  };
}
