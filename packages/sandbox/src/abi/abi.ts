/**
 * @module What an ABI does inside a runner: join modules into an instance and carry one call in and
 * out of it. Runs in the plugin's process only (invariant I1).
 */
import type { SandboxErrorCode } from "../errors.ts";
import type { HostCallKind } from "../protocol/frame-table.ts";
import type { InstantiateSpec, ModuleFuel } from "../protocol/instantiate-spec.ts";
import type { RunnerConfiguration } from "../protocol/runner-configuration.ts";
import type { FuelTank } from "./fuel.ts";

/** Sends one host call and waits for its answer; throws {@link PluginFailure} when it is refused. */
export type HostBridge = (kind: HostCallKind, payload: Uint8Array) => Uint8Array;

/** A module under the name that others import it by. */
export interface NamedModule {
  readonly name: string;
  readonly module: WebAssembly.Module;
  /** What metering has put into it. */
  readonly fuel?: ModuleFuel | undefined;
}

/** A plugin ready for calls. */
export interface PluginInstance {
  /** Names of the exported functions that can be called. */
  readonly functions: readonly string[];
  /** Whether it takes one call only, as a program does that runs to its end. */
  readonly usedOnce?: boolean;
  /** Runs one call. The output is a view that is valid until the next call. */
  call(functionName: string, input: Uint8Array): Uint8Array;
  /** Pages of linear memory now, the kernel's included. */
  memoryPages(): number;
}

/**
 * Joins modules into an instance and runs their start and initialisation functions. `fuel` is there
 * where the modules are metered; the plugin's module has what is left of it afterwards.
 */
export type LinkPlugin = (
  modules: readonly NamedModule[],
  spec: InstantiateSpec,
  host: HostBridge,
  limits: Pick<RunnerConfiguration, "outputBytes">,
  fuel: FuelTank | undefined,
) => PluginInstance;

/** A failure with a code of the sandbox, on its way to the host. */
export class PluginFailure extends Error {
  readonly code: SandboxErrorCode;
  /** Whether the instance may go on, as after an error that the plugin reported in good order. */
  readonly orderly: boolean;

  constructor(code: SandboxErrorCode, message: string, orderly = false) {
    super(message);
    this.code = code;
    this.orderly = orderly;
  }
}

/** Exported functions by name; the values are callable with any arguments, as WebAssembly's are. */
export function exportedFunctions(exports: WebAssembly.Exports): Map<string, WasmFunction> {
  const functions = new Map<string, WasmFunction>();
  for (const [name, value] of Object.entries(exports)) {
    if (typeof value === "function") functions.set(name, value as WasmFunction);
  }
  return functions;
}

/** A WebAssembly function as JavaScript sees it. */
export type WasmFunction = (...args: (number | bigint)[]) => unknown;
