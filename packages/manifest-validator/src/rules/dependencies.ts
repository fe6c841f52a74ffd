/** @module The dependencies block: plugin ids, and the semantic version ranges they must lie in. */
import { parsePluginId } from "@glovebox/core/ids";
import semver from "semver";

import { MAX_DEPENDENCIES, MAX_RANGE_CHARACTERS } from "../limits.ts";
import { mapAt, type Rule, textAt } from "../rule.ts";
import { childPointer } from "../yaml/source-tree.ts";

/** Each key is a plugin id, each value a range. */
export const dependencyRangesAreValid: Rule = (context) => {
  const ids = Object.keys(mapAt(context, "/dependencies") ?? {});
  if (ids.length > MAX_DEPENDENCIES) {
    context.report("MANIFEST_SIZE", "/dependencies", {
      what: "too many dependencies are named",
      expected: `at most ${MAX_DEPENDENCIES} dependencies`,
      received: ids.length,
    });
    return;
  }
  for (const id of ids) {
    const pointer = childPointer("/dependencies", id);
    if (!parsePluginId(id).allowed) {
      context.report("MANIFEST_ID", pointer, { expected: "1–64 of a–z, 0–9 and -", received: id });
    }
    const range = textAt(context, pointer);
    if (range === undefined || isRange(range)) continue;
    context.report("MANIFEST_RANGE", pointer, {
      expected: `a semantic version range of at most ${MAX_RANGE_CHARACTERS} characters, such as ^1.0.0`,
      received: range,
    });
  }
};

function isRange(range: string): boolean {
  return (
    range.trim() !== "" && range.length <= MAX_RANGE_CHARACTERS && semver.validRange(range) !== null
  );
}
