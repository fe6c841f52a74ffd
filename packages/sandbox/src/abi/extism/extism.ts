/**
 * @module The Extism ABI (contract.md 2): plugins of its development kits run unchanged. A call's
 * input and output are blocks of the kernel, which is emptied before each call; a result other
 * than 0 is the plugin's error.
 */
import { WASM_PAGE_BYTES } from "../../limits.ts";
import { exportedFunctions, type LinkPlugin, PluginFailure } from "../abi.ts";
import { extismImports } from "./imports.ts";
import { createKernel } from "./kernel.ts";

/** Initialisers in the order in which Extism runs them; the first that exists counts for each language. */
const INITIALISERS = ["hs_init", "_initialize", "__wasm_call_ctors"] as const;

/** Makes a kernel, links the modules to it and initialises the plugin. */
export const extism: LinkPlugin = (modules, spec, host) => {
  const kernel = createKernel();
  const imports = extismImports(kernel, spec, host);
  let instance: WebAssembly.Instance | undefined;
  for (const { name, module } of modules) {
    instance = new WebAssembly.Instance(module, imports);
    imports[name] = instance.exports;
  }
  if (instance === undefined) throw new PluginFailure("SANDBOX_ABI", "no module was loaded");
  const functions = exportedFunctions(instance);
  for (const name of INITIALISERS) {
    const initialise = functions.get(name);
    if (initialise === undefined) continue;
    if (name === "hs_init") initialise(0, 0);
    else initialise();
    if (name === "_initialize") break; // it calls the constructors itself
  }
  const { memory } = instance.exports;
  return {
    functions: [...functions].flatMap(([name, run]) => (run.length === 0 ? [name] : [])),
    memoryPages: () =>
      kernel.pages() +
      (memory instanceof WebAssembly.Memory ? memory.buffer.byteLength / WASM_PAGE_BYTES : 0),
    call(functionName, input) {
      const run = functions.get(functionName);
      if (run === undefined || run.length !== 0) {
        throw new PluginFailure(
          "SANDBOX_EXPORT_MISSING",
          `${functionName} is not an exported function without parameters`,
          true,
        );
      }
      if (!kernel.begin(input)) {
        throw new PluginFailure(
          "SANDBOX_MEMORY_LIMIT",
          `no memory for an input of ${input.length} bytes`,
        );
      }
      const result = run();
      // A function without a result has no other way to fail than the error that it set.
      const failed = typeof result === "number" ? result !== 0 : kernel.error() !== undefined;
      if (failed) {
        const message = kernel.error() ?? `${functionName} returned ${String(result)}`;
        throw new PluginFailure("SANDBOX_PLUGIN_ERROR", message, true);
      }
      return kernel.output();
    },
  };
};
