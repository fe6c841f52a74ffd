/** @module What INSTANTIATE asks for: which modules become the plugin, and what they may import. */
import type { HostValueType } from "@glovebox/core/ports";

import type { Abi } from "./abi-requirements.ts";

/** A function of the host application, as a plugin imports it. */
export interface HostFunctionSignature {
  readonly name: string;
  readonly parameters: readonly HostValueType[];
  readonly result: HostValueType | "none";
}

/** The content of INSTANTIATE. */
export interface InstantiateSpec {
  readonly abi: Abi;
  /** Names of the loaded modules in order; the last is the plugin, the others can be imported from. */
  readonly modules: readonly string[];
  /** Make a fresh instance for each call. */
  readonly freshInstances: boolean;
  readonly hostFunctions: readonly HostFunctionSignature[];
  readonly config: Readonly<Record<string, string>>;
  /** Granted folders, which WASI calls preopened. */
  readonly folders: readonly string[];
  /** Arguments of a WASI program after its name. */
  readonly args: readonly string[];
  /** What WASI's clocks are rounded down to, nanoseconds. */
  readonly clockResolutionNs: number;
}
