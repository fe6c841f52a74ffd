/** @module What INSTANTIATE asks for: which modules become the plugin, and what they may import. */
import type { HostValueType } from "@glovebox/core/ports";

import type { Abi } from "./abi-requirements.ts";

/** A function of the host application, as a plugin imports it. */
export interface HostFunctionSignature {
  readonly name: string;
  readonly parameters: readonly HostValueType[];
  readonly result: HostValueType | "none";
}

/** What metering has put into a module, by the names of its exports. */
export interface ModuleFuel {
  /**
   * A mutable i64 that holds the units left. Below -1: they ran out, and the call has used what it
   * had and `-1 - value` more. -1: the count is lost, as in a trap.
   */
  readonly global: string;
  /** The module's start function, which is then none to the engine. */
  readonly start?: string;
}

/** A loaded module. */
export interface InstantiatedModule {
  readonly name: string;
  readonly fuel?: ModuleFuel;
}

/** The content of INSTANTIATE. */
export interface InstantiateSpec {
  readonly abi: Abi;
  /**
   * The loaded modules in order; the last is the plugin, the others can be imported from. All have
   * fuel or none.
   */
  readonly modules: readonly InstantiatedModule[];
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
