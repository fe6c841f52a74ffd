/**
 * @module What our reader says of a script's modules: it reads what the engine takes and finds the
 * same imports and exports, refuses what is malformed with a code and an offset, and knows the type
 * of every export that the script uses.
 */
import { readModule, WASM_BINARY_ERRORS, type WasmModule } from "@glovebox/wasm-binary";

import type { Constant } from "./constant.ts";
import { calleeOf } from "./realm.ts";
import type { Action, Command, ModuleSource } from "./script.ts";

const TYPES: Readonly<Record<string, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
};
const OFFSET = /\(at byte \d+\)$/;

/** Judges the commands of one script in their order: what is wrong, or `undefined`. */
export class ReaderMode {
  readonly #modules = new Map<string | undefined, WasmModule>();
  readonly #definitions = new Map<string | undefined, ModuleSource>();

  /** `meets`: whether the plain engine does what the script expects. */
  problemOf(command: Command, meets: boolean): string | undefined {
    switch (command.kind) {
      case "module":
        for (const id of [undefined, command.module.id]) this.#definitions.set(id, command.module);
        if (!meets) return undefined;
        if (!command.isDefinition) this.#remember(command.module.id, command.module);
        return problemOfValid(command.module);
      case "instance": {
        const source = this.#definitions.get(command.definition);
        if (source !== undefined) this.#remember(command.id, source);
        return undefined;
      }
      case "refused":
        if (command.stage === "unlinkable" || command.stage === "trap")
          return problemOfValid(command.module);
        return problemOfRefused(command.module, command.stage === "malformed");
      case "return":
        return this.#problemOfAction(command.action, command.expected);
      case "action":
      case "trap":
      case "exception":
        return this.#problemOfAction(command.action);
      case "register":
        return this.#modules.has(command.instance) ? undefined : "no such module was read";
      case "skipped":
      default:
        return undefined;
    }
  }

  #remember(id: string | undefined, { bytes }: ModuleSource): void {
    const reading = readModule(bytes, { bodies: "skip" });
    if (reading.allowed) for (const name of [undefined, id]) this.#modules.set(name, reading.value);
  }

  /** The export is there, and takes and gives what the script says. */
  #problemOfAction(action: Action, expected?: readonly Constant[]): string | undefined {
    const module = this.#modules.get(action.instance);
    if (module === undefined) return "no such module was read";
    const callee = calleeOf(module, action);
    if (callee === undefined) return `no export ${JSON.stringify(action.name)} to ${action.kind}`;
    const results = callee.kind === "function" ? callee.results : [callee.type];
    const parameters = callee.kind === "function" ? callee.parameters : [];
    if (!fit(action.arguments, parameters))
      return "other parameters than the arguments of the script";
    return expected === undefined || fit(expected, results)
      ? undefined
      : "other results than the script expects";
  }
}

/** The reader takes it, and the engine finds the same imports and exports. */
function problemOfValid({ bytes }: ModuleSource): string | undefined {
  const reading = readModule(bytes);
  if (!reading.allowed) return `${reading.code}: ${reading.reason}`;
  const module = new WebAssembly.Module(bytes);
  const own = [
    [...reading.value.imports].map(({ module: from, name, kind }) => [from, name, kind]),
    [...reading.value.exports].map(({ name, kind }) => [name, kind]),
  ];
  const engine = [
    WebAssembly.Module.imports(module).map(({ module: from, name, kind }) => [from, name, kind]),
    WebAssembly.Module.exports(module).map(({ name, kind }) => [name, kind]),
  ];
  return JSON.stringify(own) === JSON.stringify(engine)
    ? undefined
    : "other imports or exports than the engine's";
}

/** The reader refuses what is malformed; it may take what only a type check can refuse. */
function problemOfRefused({ bytes }: ModuleSource, isMalformed: boolean): string | undefined {
  const reading = readModule(bytes);
  if (reading.allowed) return isMalformed ? "a malformed module was read" : undefined;
  const isCoded = Object.hasOwn(WASM_BINARY_ERRORS, reading.code) && OFFSET.test(reading.reason);
  return isCoded
    ? undefined
    : `refused without code and offset: ${reading.code}: ${reading.reason}`;
}

function fit(constants: readonly Constant[], types: readonly number[]): boolean {
  return (
    constants.length === types.length &&
    constants.every((constant, index) => fits(constant, types[index] as number))
  );
}

function fits(constant: Constant, type: number): boolean {
  if (constant.kind === "either") return constant.choices.every((choice) => fits(choice, type));
  const isReference = !Object.values(TYPES).includes(type);
  return constant.kind === "number" ? TYPES[constant.type] === type : isReference;
}
