/** @module All rules, in the order in which their problems read best: outside in, top to bottom. */
import type { Rule } from "../rule.ts";
import { blocksAreMaps, keysAreKnown, requiredKeysArePresent } from "./blocks.ts";
import { filesystemRequestIsValid, resourceRequestIsValid } from "./capabilities.ts";
import { dependencyRangesAreValid } from "./dependencies.ts";
import { functionEntriesAreValid, functionSchemasAreValid } from "./functions.ts";
import {
  abiIsKnown,
  instanceIsKnown,
  pluginIdIsValid,
  pluginVersionIsValid,
  textsAreVisible,
  typesAreKnown,
} from "./identity.ts";
import { moduleEntriesAreValid, modulesAreGivenOnce, wasmPathIsNormal } from "./modules.ts";
import { networkPortsAreValid, networkRequestIsValid } from "./network.ts";

/** Every rule of a manifest; each is independent of the others. */
export const ALL_RULES: readonly Rule[] = [
  blocksAreMaps,
  keysAreKnown,
  requiredKeysArePresent,
  pluginIdIsValid,
  pluginVersionIsValid,
  textsAreVisible,
  typesAreKnown,
  abiIsKnown,
  modulesAreGivenOnce,
  wasmPathIsNormal,
  moduleEntriesAreValid,
  instanceIsKnown,
  networkRequestIsValid,
  networkPortsAreValid,
  filesystemRequestIsValid,
  resourceRequestIsValid,
  functionEntriesAreValid,
  functionSchemasAreValid,
  dependencyRangesAreValid,
];
