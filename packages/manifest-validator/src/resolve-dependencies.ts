/**
 * @module In which order plugins can be loaded so that each finds what it depends on: versions by
 * semantic versioning ranges, missing plugins, and circles named in full. All problems in one go.
 */
import { received, sanitizeForMessage } from "@glovebox/core/errors";
import type { PluginId } from "@glovebox/core/ids";
import semver from "semver";

import { walkGraph } from "./dependency-cycles.ts";
import { MANIFEST_ERRORS, ManifestError, type ManifestErrorCode } from "./errors.ts";
import { MAX_PROBLEMS, MAX_RESOLVED_PLUGINS } from "./limits.ts";
import type { PluginManifest } from "./manifest.ts";
import { childPointer } from "./yaml/source-tree.ts";

/** What resolution needs of a manifest. */
export type DependentManifest = Pick<PluginManifest, "id" | "version" | "dependencies">;

/** One thing that keeps a set of plugins from being loaded together. */
export interface DependencyProblem {
  readonly code: ManifestErrorCode;
  /** One line for the operator. */
  readonly message: string;
  /** The plugin whose manifest has the problem. */
  readonly pluginId: PluginId;
  /** JSON pointer into that manifest. */
  readonly path: string;
  readonly advice: string;
  readonly expected?: string;
  readonly received?: string;
  /** For `MANIFEST_CYCLE`: the circle, each plugin once, each depending on the next. */
  readonly cycle?: readonly PluginId[];
}

/** The order to load in, dependencies first, or everything that is wrong. */
export type ResolutionResult =
  | { readonly ok: true; readonly order: readonly PluginId[] }
  | { readonly ok: false; readonly problems: readonly DependencyProblem[] };

/**
 * Resolves a set of manifests. The order is deterministic: it depends only on ids and dependencies,
 * not on the order of the array.
 *
 * @throws {@link ManifestError} (`MANIFEST_USAGE`) when `manifests` is no array or has more than
 * 10,000 entries.
 */
export function resolveDependencies(manifests: readonly DependentManifest[]): ResolutionResult {
  if (!Array.isArray(manifests) || manifests.length > MAX_RESOLVED_PLUGINS) {
    throw new ManifestError("MANIFEST_USAGE", {
      message: `resolveDependencies takes an array of at most ${MAX_RESOLVED_PLUGINS} manifests`,
    });
  }
  const problems: DependencyProblem[] = [];
  const byId = new Map<PluginId, DependentManifest>();
  for (const manifest of manifests) {
    if (byId.has(manifest.id)) {
      problems.push(
        problem("MANIFEST_PLUGIN_DUPLICATE", manifest.id, "/plugin/id", {
          message: `two manifests have the plugin id ${manifest.id}`,
        }),
      );
    } else byId.set(manifest.id, manifest);
  }
  for (const manifest of byId.values()) problems.push(...dependencyProblems(manifest, byId));

  const { order, cycles } = walkGraph(edgesOf(byId));
  for (const cycle of cycles) {
    const [first = "" as PluginId, second = first] = cycle;
    problems.push(
      problem("MANIFEST_CYCLE", first, childPointer("/dependencies", second), {
        message: `plugins depend on each other in a circle: ${[...cycle, first].join(" → ")}`,
        cycle: Object.freeze([...cycle]),
      }),
    );
  }
  return problems.length === 0
    ? { ok: true, order }
    : { ok: false, problems: problems.slice(0, MAX_PROBLEMS) };
}

function* dependencyProblems(
  { id, dependencies }: DependentManifest,
  byId: ReadonlyMap<string, DependentManifest>,
): Generator<DependencyProblem> {
  for (const [dependency, range] of Object.entries(dependencies)) {
    const found = byId.get(dependency);
    const path = childPointer("/dependencies", dependency);
    const expected = `${dependency} in a version of ${range}`;
    if (found === undefined) {
      yield problem("MANIFEST_DEPENDENCY_MISSING", id, path, {
        message: `${id} depends on ${dependency} (${range}), which is not there`,
        expected,
        received: "nothing",
      });
    } else if (!semver.satisfies(found.version, range)) {
      yield problem("MANIFEST_DEPENDENCY_VERSION", id, path, {
        message: `${id} depends on ${dependency} in a version of ${range}; there is ${found.version}`,
        expected,
        received: received(found.version),
      });
    }
  }
}

/** Id → ids it depends on, both sorted, so that the answer does not depend on the input's order. */
function edgesOf(
  byId: ReadonlyMap<PluginId, DependentManifest>,
): ReadonlyMap<PluginId, readonly PluginId[]> {
  const ids = [...byId.keys()].sort();
  return new Map(
    ids.map((id) => {
      const wanted = Object.keys(byId.get(id)?.dependencies ?? {}) as PluginId[];
      return [id, wanted.filter((dependency) => byId.has(dependency)).sort()];
    }),
  );
}

function problem(
  code: ManifestErrorCode,
  pluginId: PluginId,
  path: string,
  facts: Pick<DependencyProblem, "message" | "expected" | "received" | "cycle">,
): DependencyProblem {
  return Object.freeze({
    code,
    pluginId,
    path,
    advice: MANIFEST_ERRORS[code].advice,
    ...facts,
    message: sanitizeForMessage(facts.message),
  });
}
