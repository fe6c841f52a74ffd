/** @module The door of @glovebox/manifest-validator. */
export { MANIFEST_ERRORS, ManifestError } from "./errors.ts";
export type { ManifestErrorCode } from "./errors.ts";
export { waysToMatch } from "./function-schema/pattern-cost.ts";
export type {
  CapabilityRequest,
  FunctionSchemas,
  InstanceScope,
  JsonSchema,
  ManifestModule,
  NetworkLimitName,
  PluginAbi,
  PluginManifest,
  PluginType,
} from "./manifest.ts";
export { parseManifest } from "./parse-manifest.ts";
export type { ManifestResult, ParseManifestOptions } from "./parse-manifest.ts";
export type { Position, Problem } from "./problem.ts";
export { resolveDependencies } from "./resolve-dependencies.ts";
export type {
  DependencyProblem,
  DependentManifest,
  ResolutionResult,
} from "./resolve-dependencies.ts";
