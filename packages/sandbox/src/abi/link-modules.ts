/**
 * @module Joins modules by name. Each is instantiated with the exports of those before it; a function
 * of a module that comes later, as when two import each other, is reached through a call that finds
 * it when it is made. Only functions can be deferred so: a memory, table or global must be there.
 */
import { exportedFunctions, type NamedModule, PluginFailure } from "./abi.ts";

/** What one module gets besides the others' exports. */
export interface OwnImports {
  readonly imports: WebAssembly.Imports;
  /** To be told the module's exported memory. */
  readonly attach?: (memory: WebAssembly.Memory) => void;
}

/** Modules that were joined. */
export interface LinkedModules {
  /** The plugin: the last one. */
  readonly main: WebAssembly.Instance;
  /** All in order. */
  readonly instances: readonly WebAssembly.Instance[];
  /** The exported memories, each once. */
  readonly memories: readonly WebAssembly.Memory[];
}

/** Instantiates modules, which runs their start functions. */
export function linkModules(
  modules: readonly NamedModule[],
  importsFor: () => OwnImports,
): LinkedModules {
  const names = new Set(modules.map(({ name }) => name));
  const linked = new Map<string, WebAssembly.Instance>();
  const memories = new Set<WebAssembly.Memory>();
  for (const { name, module } of modules) {
    const { imports, attach } = importsFor();
    if (Object.hasOwn(imports, name)) {
      throw new PluginFailure(
        "SANDBOX_ABI",
        `a module is called ${name}, which is the host's name`,
      );
    }
    const others = [...names].map((other): [string, WebAssembly.Imports[string]] => [
      other,
      linked.get(other)?.exports ?? deferred(other, module, linked),
    ]);
    const instance = new WebAssembly.Instance(module, {
      ...Object.fromEntries(others),
      ...imports,
    });
    linked.set(name, instance);
    const { memory } = instance.exports;
    if (memory instanceof WebAssembly.Memory) {
      memories.add(memory);
      attach?.(memory);
    }
  }
  const instances = [...linked.values()];
  const main = instances.at(-1);
  if (main === undefined) throw new PluginFailure("SANDBOX_ABI", "no module was loaded");
  return { main, instances, memories: [...memories] };
}

/** Stand-ins for the functions that `module` imports from a module that is not there yet. */
function deferred(
  name: string,
  module: WebAssembly.Module,
  linked: ReadonlyMap<string, WebAssembly.Instance>,
): WebAssembly.Imports[string] {
  const wanted = WebAssembly.Module.imports(module).filter(
    (entry) => entry.module === name && entry.kind === "function",
  );
  return Object.fromEntries(
    wanted.map((entry) => [
      entry.name,
      (...args: (number | bigint)[]): unknown => {
        const instance = linked.get(name);
        const target = instance && exportedFunctions(instance).get(entry.name);
        if (target !== undefined) return target(...args);
        const why = instance === undefined ? "is not started yet" : "exports no such function";
        throw new PluginFailure(
          "SANDBOX_ABI",
          `${name}.${entry.name} was called, but ${name} ${why}`,
        );
      },
    ]),
  );
}
