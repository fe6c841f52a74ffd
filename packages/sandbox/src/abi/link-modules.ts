/**
 * @module Joins modules by name. Each is instantiated with the exports of those before it; a function
 * of a module that comes later, as when two import each other, is reached through a call that finds
 * it when it is made. Only functions can be deferred so: a memory, table or global must be there.
 *
 * What metering has put into a module is for the runner alone: no other module can import the fuel,
 * and nobody can call the start function a second time.
 */
import type { ModuleFuel } from "../protocol/instantiate-spec.ts";
import { exportedFunctions, type NamedModule, PluginFailure, type WasmFunction } from "./abi.ts";
import type { FuelTank } from "./fuel.ts";

/** What one module gets besides the others' exports. */
export interface OwnImports {
  readonly imports: WebAssembly.Imports;
  /** To be told the module's exported memory. */
  readonly attach?: (memory: WebAssembly.Memory) => void;
  /** To be told the module's fuel. */
  readonly connect?: (fuel: WebAssembly.Global) => void;
}

/** One module that was joined. */
export interface LinkedModule {
  /** Without what metering added. */
  readonly exports: WebAssembly.Exports;
  readonly functions: ReadonlyMap<string, WasmFunction>;
  readonly fuel: WebAssembly.Global | undefined;
}

/** Modules that were joined. */
export interface LinkedModules {
  /** The plugin: the last one. */
  readonly main: LinkedModule;
  /** All in order. */
  readonly modules: readonly LinkedModule[];
  /** The exported memories, each once. */
  readonly memories: readonly WebAssembly.Memory[];
}

/** Instantiates modules and runs their start functions. */
export function linkModules(
  modules: readonly NamedModule[],
  importsFor: () => OwnImports,
  tank: FuelTank | undefined,
): LinkedModules {
  const names = new Set(modules.map(({ name }) => name));
  const linked = new Map<string, LinkedModule>();
  const memories = new Set<WebAssembly.Memory>();
  for (const { name, module, fuel } of modules) {
    const { imports, attach, connect } = importsFor();
    if (Object.hasOwn(imports, name)) {
      throw new PluginFailure(
        "SANDBOX_ABI",
        `a module is called ${name}, which is the host's name`,
      );
    }
    const others = [...names].map((other): [string, WebAssembly.Imports[string]] => {
      const there = linked.get(other);
      return [
        other,
        there === undefined ? deferred(other, module, linked, tank) : offered(there, tank),
      ];
    });
    const instance = new WebAssembly.Instance(module, {
      ...Object.fromEntries(others),
      ...imports,
    });
    const exports = withoutFuel(instance.exports, fuel);
    const { memory } = exports;
    if (memory instanceof WebAssembly.Memory) {
      memories.add(memory);
      attach?.(memory);
    }
    const global = fuel && fuelOf(instance, fuel);
    if (global !== undefined) {
      connect?.(global);
      tank?.moveTo(global);
    }
    if (fuel?.start !== undefined) exportedFunctions(instance.exports).get(fuel.start)?.();
    linked.set(name, { exports, functions: exportedFunctions(exports), fuel: global });
  }
  const all = [...linked.values()];
  const main = all.at(-1);
  if (main === undefined) throw new PluginFailure("SANDBOX_ABI", "no module was loaded");
  return { main, modules: all, memories: [...memories] };
}

function withoutFuel(
  exports: WebAssembly.Exports,
  fuel: ModuleFuel | undefined,
): WebAssembly.Exports {
  if (fuel === undefined) return exports;
  const own = Object.entries(exports).filter(
    ([name]) => name !== fuel.global && name !== fuel.start,
  );
  return Object.fromEntries(own);
}

function fuelOf({ exports }: WebAssembly.Instance, fuel: ModuleFuel): WebAssembly.Global {
  const global = exports[fuel.global];
  if (global instanceof WebAssembly.Global) return global;
  throw new PluginFailure("SANDBOX_ABI", `a module has no fuel of the name ${fuel.global}`);
}

/** What one module offers the others. */
function offered(from: LinkedModule, tank: FuelTank | undefined): WebAssembly.Exports {
  if (tank === undefined) return from.exports;
  const functions = [...from.functions].map(([name, run]): [string, WasmFunction] => [
    name,
    (...args) => carry(run, args, from, tank),
  ]);
  return { ...from.exports, ...Object.fromEntries(functions) };
}

/** Calls into another module, which gets what is left of the fuel and gives it back. */
function carry(
  run: WasmFunction,
  args: (number | bigint)[],
  { fuel }: LinkedModule,
  tank: FuelTank | undefined,
): unknown {
  const caller = tank?.holder;
  if (tank === undefined || fuel === undefined || caller === undefined) return run(...args);
  tank.moveTo(fuel);
  try {
    return run(...args);
  } finally {
    // Should there be no stack left for this, the caller has no fuel: what it catches does not help.
    tank.moveTo(caller);
  }
}

/** Stand-ins for the functions that `module` imports from a module that is not there yet. */
function deferred(
  name: string,
  module: WebAssembly.Module,
  linked: ReadonlyMap<string, LinkedModule>,
  tank: FuelTank | undefined,
): WebAssembly.Imports[string] {
  const wanted = WebAssembly.Module.imports(module).filter(
    (entry) => entry.module === name && entry.kind === "function",
  );
  return Object.fromEntries(
    wanted.map((entry) => [
      entry.name,
      (...args: (number | bigint)[]): unknown => {
        const there = linked.get(name);
        const target = there?.functions.get(entry.name);
        if (there !== undefined && target !== undefined) {
          return carry(target, args, there, tank);
        }
        // A module may catch this, and call again.
        tank?.call();
        const why = there === undefined ? "is not started yet" : "exports no such function";
        throw new PluginFailure(
          "SANDBOX_ABI",
          `${name}.${entry.name} was called, but ${name} ${why}`,
        );
      },
    ]),
  );
}
