/**
 * @module The WASI ABI (contract.md 2): commands (`_start`, a fresh instance for each call) and
 * reactors (`_initialize` once, then functions without parameters). Standard input and output are the
 * call's input and output, standard error is its log. A command that exits with another code than 0,
 * or a reactor's function that returns another number, has failed.
 */
import { WASM_PAGE_BYTES } from "../../limits.ts";
import { type LinkPlugin, PluginFailure } from "../abi.ts";
import { NO_TOLL } from "../fuel.ts";
import { linkModules } from "../link-modules.ts";
import { GuestMemory } from "./guest-memory.ts";
import { createWasi, WASI_MODULE } from "./imports.ts";

const COMMAND = "_start";
const INITIALISER = "_initialize";

/** Joins modules by name with WASI among their imports, and initialises a reactor. */
export const wasi: LinkPlugin = (modules, spec, host, limits, fuel) => {
  const name = modules.at(-1)?.name ?? "";
  const environment = spec.config;
  const toll = fuel ?? NO_TOLL;
  const offered = { logsOutput: false, args: [name, ...spec.args], environment, toll };
  const system = createWasi(spec, limits, host, offered);
  const { main, memories } = linkModules(
    modules,
    () => {
      const memory = new GuestMemory(toll);
      return {
        imports: { [WASI_MODULE]: system.importsFor(memory) },
        attach: (found) => memory.attach(found),
      };
    },
    fuel,
  );
  const { functions } = main;
  const isCommand = functions.has(COMMAND);
  const initialise = functions.get(INITIALISER);
  if (isCommand && initialise !== undefined) {
    throw new PluginFailure(
      "SANDBOX_ABI",
      `a module exports ${COMMAND} or ${INITIALISER}, not both`,
    );
  }
  system.begin(new Uint8Array(0));
  try {
    initialise?.();
  } finally {
    system.end();
  }
  const callable = [...functions].filter(([, run]) => run.length === 0).map(([named]) => named);
  return {
    functions: isCommand ? [COMMAND] : callable.filter((named) => named !== INITIALISER),
    usedOnce: isCommand,
    memoryPages: () =>
      memories.reduce((sum, { buffer }) => sum + buffer.byteLength / WASM_PAGE_BYTES, 0),
    call(functionName, input) {
      const run = functions.get(functionName);
      if (run === undefined || run.length !== 0) {
        throw new PluginFailure(
          "SANDBOX_EXPORT_MISSING",
          `${functionName} is not an exported function without parameters`,
          true,
        );
      }
      system.begin(input.slice()); // host calls reuse the memory that the input came in
      let result: unknown;
      try {
        result = run();
      } catch (error) {
        if (error !== system.exit) throw error;
      } finally {
        system.end();
      }
      const { exit } = system;
      if (exit !== undefined && exit.exitCode !== 0) throw exit;
      if (typeof result === "number" && result !== 0) {
        throw new PluginFailure("SANDBOX_PLUGIN_ERROR", `${functionName} returned ${result}`, true);
      }
      return system.output();
    },
  };
};
