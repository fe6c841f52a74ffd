/**
 * @module The Extism ABI (contract.md 2): plugins of its development kits run unchanged. A call's
 * input and output are blocks of the kernel, which is emptied before each call; a result other
 * than 0 is the plugin's error. WASI is offered besides, for kits that stand on it: standard input
 * is empty there, and what is written to standard output and error is logged.
 */
import { WASM_PAGE_BYTES } from "../../limits.ts";
import { type LinkPlugin, PluginFailure } from "../abi.ts";
import { type FuelTank, NO_TOLL } from "../fuel.ts";
import { type LinkedModule, linkModules } from "../link-modules.ts";
import { GuestMemory } from "../wasi/guest-memory.ts";
import { createWasi, WASI_MODULE } from "../wasi/imports.ts";
import { extismImports } from "./imports.ts";
import { createKernel } from "./kernel.ts";

/** Initialisers in the order in which Extism runs them; the first that exists counts for each language. */
const INITIALISERS = ["hs_init", "_initialize", "__wasm_call_ctors"] as const;
const NO_INPUT = new Uint8Array(0);

/** Makes a kernel, links the modules to it and initialises each of them. */
export const extism: LinkPlugin = (modules, spec, host, limits, fuel) => {
  const toll = fuel ?? NO_TOLL;
  const kernel = createKernel();
  const namespaces = extismImports(kernel, spec, host, toll);
  const offer = { logsOutput: true, args: [], environment: {}, toll };
  const system = createWasi(spec, limits, host, offer);
  const {
    main,
    modules: linked,
    memories,
  } = linkModules(
    modules,
    () => {
      const memory = new GuestMemory(toll);
      const { imports, connect } = fuel === undefined ? kernel : kernel.forSale();
      return {
        imports: { ...namespaces.with(imports), [WASI_MODULE]: system.importsFor(memory) },
        attach: (found) => memory.attach(found),
        ...(connect === undefined ? {} : { connect }),
      };
    },
    fuel,
  );
  const { functions } = main;
  within(() => linked.forEach((module) => initialise(module, fuel)));
  return {
    functions: [...functions].flatMap(([name, run]) => (run.length === 0 ? [name] : [])),
    memoryPages: () =>
      memories.reduce(
        (sum, { buffer }) => sum + buffer.byteLength / WASM_PAGE_BYTES,
        kernel.pages(),
      ),
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
      const result = within(run);
      // A function without a result has no other way to fail than the error that it set.
      const failed = typeof result === "number" ? result !== 0 : kernel.error() !== undefined;
      if (failed) {
        const message = kernel.error() ?? `${functionName} returned ${String(result)}`;
        throw new PluginFailure("SANDBOX_PLUGIN_ERROR", message, true);
      }
      return kernel.output();
    },
  };

  /** With everything but the plugin itself as at the beginning of a call. */
  function within<T>(run: () => T): T {
    namespaces.reset();
    system.begin(NO_INPUT);
    try {
      return run();
    } finally {
      system.end();
    }
  }
};

function initialise({ functions, fuel }: LinkedModule, tank: FuelTank | undefined): void {
  if (fuel !== undefined) tank?.moveTo(fuel);
  for (const name of INITIALISERS) {
    const run = functions.get(name);
    if (run === undefined) continue;
    if (name === "hs_init") run(0, 0);
    else run();
    if (name === "_initialize") break; // it calls the constructors itself
  }
}
