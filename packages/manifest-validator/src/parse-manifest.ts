/**
 * @module plugin.yaml in, a frozen manifest or all of its problems out (contract.md 1). A manifest
 * is the first thing that a host reads of a plugin, and all of it is attacker-controlled: it is
 * bounded before it is parsed, parsed without anything that constructs or expands, and checked by
 * every rule in one go. A check that itself fails refuses (I9).
 */
import { buildManifest } from "./build-manifest.ts";
import { ManifestError } from "./errors.ts";
import type { PluginManifest } from "./manifest.ts";
import { createProblemList, inTextOrder, type Problem, type ProblemList } from "./problem.ts";
import type { RuleContext } from "./rule.ts";
import { ALL_RULES } from "./rules/all-rules.ts";
import { readYaml } from "./yaml/read-yaml.ts";
import type { SourceTree } from "./yaml/source-tree.ts";

/** How a manifest is judged. */
export interface ParseManifestOptions {
  /** Default true: unknown keys are problems. False: they are warnings, and are ignored. */
  readonly strict?: boolean;
}

/** A manifest, or everything that is wrong with it, in the order of the text. */
export type ManifestResult =
  | { readonly ok: true; readonly manifest: PluginManifest; readonly warnings: readonly Problem[] }
  | {
      readonly ok: false;
      readonly problems: readonly Problem[];
      readonly warnings: readonly Problem[];
    };

/**
 * Parses and checks the text or the bytes of a plugin.yaml. Never throws for what is in it.
 *
 * @throws {@link ManifestError} (`MANIFEST_USAGE`) when the source is neither text nor bytes.
 *
 * @example
 * ```ts
 * const result = parseManifest("plugin: {id: Rate Table}");
 * if (!result.ok) for (const problem of result.problems) report(problem.line, problem.message);
 * ```
 */
export function parseManifest(
  source: string | Uint8Array,
  options: ParseManifestOptions = {},
): ManifestResult {
  if (typeof source !== "string" && !(source instanceof Uint8Array)) {
    throw new ManifestError("MANIFEST_USAGE", {
      message: `parseManifest takes text or bytes, not ${typeof source}`,
    });
  }
  const errors = createProblemList();
  const warnings = createProblemList();
  try {
    const tree = readYaml(source, errors);
    if (tree !== undefined) {
      const context = createContext(tree, errors, options.strict === false ? warnings : errors);
      for (const rule of ALL_RULES) rule(context);
      if (errors.problems.length === 0) {
        return {
          ok: true,
          manifest: buildManifest(tree.root),
          warnings: inTextOrder(warnings.problems),
        };
      }
    }
  } catch (error) {
    errors.add(
      "MANIFEST_CHECK_FAILED",
      "",
      { line: 1, column: 1 },
      { what: `a check of the manifest failed: ${String(error)}` },
    );
  }
  return {
    ok: false,
    problems: inTextOrder(errors.problems),
    warnings: inTextOrder(warnings.problems),
  };
}

function createContext(
  tree: SourceTree,
  errors: ProblemList,
  unknownKeys: ProblemList,
): RuleContext {
  // What an unknown key is called matters more than what it holds, so its key is the place.
  const keyed = new Set(["MANIFEST_ID", "MANIFEST_FUNCTION"]);
  return {
    valueAt: (pointer) => tree.valueAt(pointer),
    report(code, pointer, facts) {
      const isAboutKey = keyed.has(code) && pointer !== "/plugin/id";
      errors.add(
        code,
        pointer,
        isAboutKey ? tree.keyPosition(pointer) : tree.valuePosition(pointer),
        facts,
      );
    },
    reportUnknownKey(pointer, facts) {
      unknownKeys.add("MANIFEST_UNKNOWN_KEY", pointer, tree.keyPosition(pointer), facts);
    },
  };
}
