/**
 * @module Who the plugin says it is: id, version, the texts for people, types, ABI and instance.
 */
import { parsePluginId } from "@glovebox/core/ids";
import type { JsonValue } from "@glovebox/core/json";
import semver from "semver";

import { MAX_DESCRIPTION_CHARACTERS, MAX_NAME_CHARACTERS } from "../limits.ts";
import type { InstanceScope, PluginAbi, PluginType } from "../manifest.ts";
import { listAt, type Rule, type RuleContext, textAt } from "../rule.ts";
import { childPointer } from "../yaml/source-tree.ts";
import { MISLEADING_CHARACTERS } from "./misleading-characters.ts";

const TYPES: readonly PluginType[] = ["auth", "template", "response", "datasource"];
const ABIS: readonly PluginAbi[] = ["flat", "extism", "wasi"];
const INSTANCES: readonly InstanceScope[] = ["runner", "call"];
const VERSION = /^\d+\.\d+\.\d+$/;
const TEXTS: Readonly<Record<string, number>> = {
  "/plugin/name": MAX_NAME_CHARACTERS,
  "/plugin/description": MAX_DESCRIPTION_CHARACTERS,
  "/plugin/author": MAX_NAME_CHARACTERS,
};
/** `id` is `^[a-z0-9-]+$`, at most 64. */
export const pluginIdIsValid: Rule = (context) => {
  const id = textAt(context, "/plugin/id");
  if (id === undefined || parsePluginId(id).allowed) return;
  context.report("MANIFEST_ID", "/plugin/id", { expected: "1–64 of a–z, 0–9 and -", received: id });
};

/** `version` is three numbers; semver also refuses leading zeros and numbers beyond 2^53 − 1. */
export const pluginVersionIsValid: Rule = (context) => {
  const version = textAt(context, "/plugin/version");
  if (version === undefined) return;
  if (VERSION.test(version) && semver.valid(version) === version) return;
  context.report("MANIFEST_VERSION", "/plugin/version", {
    expected: "three numbers separated by dots, such as 1.2.0",
    received: version,
  });
};

/** `name`, `description` and `author` are short, visible, one line. */
export const textsAreVisible: Rule = (context) => {
  for (const [pointer, max] of Object.entries(TEXTS)) {
    const text = textAt(context, pointer);
    if (text === undefined) continue;
    if (text.trim() !== "" && text.length <= max && !MISLEADING_CHARACTERS.test(text)) continue;
    context.report("MANIFEST_TEXT", pointer, {
      expected: `one line of 1–${max} visible characters`,
      received: text,
    });
  }
};

/** `types` names at least one of the four, each once. */
export const typesAreKnown: Rule = (context) => {
  const types = listAt(context, "/plugin/types", TYPES.length);
  if (types?.length === 0) {
    context.report("MANIFEST_VALUE", "/plugin/types", {
      what: "the plugin names no type",
      expected: `at least one of ${TYPES.join(", ")}`,
    });
  }
  for (const [index, type] of (types ?? []).entries()) {
    const isRepeated = types?.indexOf(type) !== index;
    if (isOneOf(TYPES, type) && !isRepeated) continue;
    context.report("MANIFEST_VALUE", childPointer("/plugin/types", index), {
      what: isRepeated ? "a type is named twice" : "a type is not known",
      expected: `one of ${TYPES.join(", ")}, each once`,
      received: type,
    });
  }
};

/** `abi` is one of the three. */
export const abiIsKnown: Rule = (context) => checkChoice(context, "/plugin/abi", ABIS);

/** `instance` is one of the two. */
export const instanceIsKnown: Rule = (context) =>
  checkChoice(context, "/plugin/instance", INSTANCES);

function checkChoice(context: RuleContext, pointer: string, choices: readonly string[]): void {
  const value = context.valueAt(pointer);
  if (value === undefined || isOneOf(choices, value)) return;
  context.report("MANIFEST_VALUE", pointer, {
    expected: `one of ${choices.join(", ")}`,
    received: value,
  });
}

function isOneOf(choices: readonly string[], value: JsonValue): boolean {
  return typeof value === "string" && choices.includes(value);
}
