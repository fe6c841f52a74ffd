/** @module What a plugin is made of, as the host application says it. */
import type { HostServices } from "@glovebox/core/ports";

import type { Abi } from "../protocol/abi-requirements.ts";
import type { NamedModuleBytes } from "./load-plugin.ts";

/** What to load into a reserved runner. */
export interface PluginSpec {
  readonly abi: Abi;
  /** The last module is the plugin; it can import from the others by name. */
  readonly modules: readonly NamedModuleBytes[];
  /** `call` makes a fresh instance for each call, as a WASI command always gets. Default `runner`. */
  readonly instance?: "runner" | "call";
  /** Arguments of a WASI program after its name. Default: none. Its environment is the services' configuration. */
  readonly args?: readonly string[];
  /** What WASI's clocks are rounded down to, nanoseconds. Default 1,000,000; a finer one is a loosening. */
  readonly clockResolutionNs?: number;
  readonly services: HostServices;
  /** Runners for one tenant, and so its concurrency. Default 1. */
  readonly runnersPerTenant?: number;
  /** Runners for this plugin in all. Default 8. */
  readonly maxRunners?: number;
  /** When a runner is replaced by a fresh one, besides after any violation. */
  readonly recycle?: RecycleOptions;
  /** Let tenants share runners: a named loosening. Default false. */
  readonly shareRunners?: boolean;
}

/** A runner's life ends in good order at the first of these. */
export interface RecycleOptions {
  /** Commands that it has carried out. Default 100,000. */
  readonly calls?: number;
  /** Resident memory of its process, bytes. Default: four fifths of what it may map. */
  readonly residentBytes?: number;
}
