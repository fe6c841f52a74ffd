/**
 * @module Runs the commands of a script in the engine, with each module prepared in some way, and
 * says of each what came of it in words that two runs can be compared by.
 */
import { fuelUse } from "@glovebox/wasm-metering";

import { type Exports, Realm } from "./realm.ts";
import type { Command, ModuleSource, RefusedStage } from "./script.ts";

/** A module made ready for the engine. */
export interface Prepared {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Export that is called in place of a start function. */
  readonly startExport?: string | undefined;
  /** Exported global that holds the fuel. */
  readonly fuelExport?: string;
  /** Exported global that holds the depth of calls. */
  readonly depthExport?: string | undefined;
}

/** Makes a module ready; throws {@link Refusal} when it refuses it. */
export type Prepare = (original: Uint8Array<ArrayBuffer>) => Promise<Prepared> | Prepared;

/** A module that was refused before the engine saw it. */
export class Refusal extends Error {}

/** What came of a command. */
export interface Outcome {
  /** Whether it is what the script expects. */
  readonly meets: boolean;
  readonly text: string;
  /** Units of fuel that all instances together used; after a trap at least so many. */
  readonly fuel: bigint;
  /** How deep in calls the instances came back, all together, where that is counted: 0 but behind a trap. */
  readonly depth: number;
}

type Judged = Pick<Outcome, "meets" | "text">;

interface FuelGlobal {
  value: bigint;
}

/** Our types do not declare it. */
const { Exception } = WebAssembly as unknown as { readonly Exception: new () => object };
/** What each instance gets before each command. */
export const BUDGET = 2n ** 60n;

/** Runs the commands in order. Commands that are skipped have the outcome `skipped`. */
export async function runScript(
  commands: readonly Command[],
  prepare: Prepare,
): Promise<readonly Outcome[]> {
  const run = new Run(prepare);
  const outcomes: Outcome[] = [];
  for (const command of commands) outcomes.push(await run.command(command));
  return outcomes;
}

class Run {
  readonly #prepare: Prepare;
  readonly #realm = new Realm();
  readonly #definitions = new Map<string | undefined, ModuleSource>();
  readonly #fuel: FuelGlobal[] = [];
  readonly #depths: { value: number }[] = [];

  constructor(prepare: Prepare) {
    this.#prepare = prepare;
  }

  async command(command: Command): Promise<Outcome> {
    for (const fuel of this.#fuel) fuel.value = BUDGET;
    for (const depth of this.#depths) depth.value = 0;
    const { meets, text } = await this.#do(command);
    const fuel = this.#fuel.reduce((sum, { value }) => sum + fuelUse(BUDGET, value).used, 0n);
    const depth = this.#depths.reduce((sum, { value }) => sum + value, 0);
    return { meets, text, fuel, depth };
  }

  async #do(command: Command): Promise<Judged> {
    try {
      switch (command.kind) {
        case "skipped":
          // If it was a module, the commands behind it mean no other.
          if (command.isModule) this.#realm.forgetNewest();
          return { meets: false, text: "skipped" };
        case "module":
          return await this.#module(command.module, command.isDefinition);
        case "instance": {
          const definition = this.#definitions.get(command.definition);
          if (definition === undefined)
            return { meets: false, text: "there is no such definition" };
          return await this.#instance({ ...definition, id: command.id });
        }
        case "register":
          this.#realm.register(command.name, command.instance);
          return { meets: true, text: "registered" };
        case "refused":
          return await this.#refused(command.module, command.stage);
        case "action":
          return { meets: true, text: this.#realm.describe(this.#realm.perform(command.action)) };
        case "return": {
          const results = this.#realm.perform(command.action);
          return {
            meets: this.#realm.matches(results, command.expected),
            text: this.#realm.describe(results),
          };
        }
        case "trap":
        case "exception":
        default:
          return { meets: false, text: this.#realm.describe(this.#realm.perform(command.action)) };
      }
    } catch (error) {
      if (command.kind === "exception")
        return { meets: error instanceof Exception, text: describe(error) };
      return { meets: command.kind === "trap" && isTrap(error), text: describe(error) };
    }
  }

  async #module(source: ModuleSource, isDefinition: boolean): Promise<Judged> {
    this.#definitions.set(source.id, source);
    this.#definitions.set(undefined, source);
    if (!isDefinition) return await this.#instance(source);
    const { bytes } = await this.#prepare(source.bytes);
    return { meets: WebAssembly.validate(bytes), text: "defined" };
  }

  async #instance(source: ModuleSource): Promise<Judged> {
    this.#realm.forgetNewest();
    const exports = await this.#instantiate(source.bytes);
    this.#realm.add(source.id, source.bytes, exports);
    return { meets: true, text: "instantiated" };
  }

  async #refused({ bytes }: ModuleSource, stage: RefusedStage): Promise<Judged> {
    try {
      await this.#instantiate(bytes);
      return { meets: false, text: "instantiated" };
    } catch (error) {
      const isRefused = error instanceof Refusal || error instanceof WebAssembly.CompileError;
      // What a compiler complains of names offsets, which preparing a module moves.
      if (isRefused)
        return { meets: stage === "malformed" || stage === "invalid", text: "refused" };
      const isLink = error instanceof WebAssembly.LinkError || error instanceof TypeError;
      return {
        meets: stage === "unlinkable" ? isLink : stage === "trap" && isTrap(error),
        text: describe(error),
      };
    }
  }

  async #instantiate(original: Uint8Array<ArrayBuffer>): Promise<Exports> {
    const { bytes, startExport, fuelExport, depthExport } = await this.#prepare(original);
    const { exports } = new WebAssembly.Instance(
      new WebAssembly.Module(bytes),
      this.#realm.imports,
    );
    if (fuelExport !== undefined) {
      const fuel = exports[fuelExport] as FuelGlobal;
      fuel.value = BUDGET;
      this.#fuel.push(fuel);
    }
    if (depthExport !== undefined) this.#depths.push(exports[depthExport] as { value: number });
    if (startExport !== undefined) (exports[startExport] as () => void)();
    return exports;
  }
}

function isTrap(error: unknown): boolean {
  return error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
}

function describe(error: unknown): string {
  // Maxima of memories and tables are brought down, and a complaint about an import may name them.
  if (error instanceof WebAssembly.LinkError) return "LinkError";
  if (error instanceof Exception) return "exception";
  return error instanceof Error ? `${error.constructor.name}: ${error.message}` : String(error);
}
