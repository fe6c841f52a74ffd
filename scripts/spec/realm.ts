/** @module The instances of one run of a script, and calls of what they export. */
import { readModule, type WasmModule } from "@glovebox/wasm-binary";

import { callerModule, type Callee, lanesOf } from "./caller.ts";
import { type Constant, matchesNumber } from "./constant.ts";
import type { Action } from "./script.ts";
import { type ModuleImports, spectest } from "./spectest.ts";

/** A result: the bytes of a number or vector, or what is known of a reference. */
type Result =
  | { readonly kind: "number"; readonly bytes: Uint8Array }
  | { readonly kind: "reference"; readonly isNull: boolean; readonly value: unknown };

/** What an instance exports. */
export type Exports = WebAssembly.Instance["exports"];

/** An instance and how its original was read. */
interface Instance {
  readonly exports: Exports;
  readonly module: WasmModule;
}

/** Bytes that are kept of each number, as wide as the widest. */
const RESULT_BYTES = 16;
const REFERENCE = { short: 0x80, nullable: 0x63, plain: 0x64 } as const;
const V128 = 0x7b;
const EXCEPTION_HEAP_BYTES = [0x69, 0x74];
const HEAP_BIAS = 64;

/** Callers that were compiled: each mode runs the same actions. */
const CALLERS = new WeakMap<Action, WebAssembly.Module>();

/** The instances that a script has made so far. */
export class Realm {
  readonly #registered: Record<string, ModuleImports> = { spectest: spectest() };
  readonly #named = new Map<string | undefined, Instance>();
  readonly #references = new Map<number, object>();

  /** What a new instance may import. */
  get imports(): WebAssembly.Imports {
    return this.#registered;
  }

  /** Adds an instance of a module whose original is `bytes`. */
  add(id: string | undefined, bytes: Uint8Array, exports: Exports): void {
    const reading = readModule(bytes, { bodies: "skip" });
    if (!reading.allowed) throw new Error(reading.reason);
    const instance = { exports, module: reading.value };
    this.#named.set(undefined, instance);
    if (id !== undefined) this.#named.set(id, instance);
  }

  /** Forgets the newest instance: the module that should have become it failed. */
  forgetNewest(): void {
    this.#named.delete(undefined);
  }

  /** Lets later modules import what an instance exports. */
  register(name: string, id: string | undefined): void {
    this.#registered[name] = this.#instance(id).exports;
  }

  /** Does what the action says. Throws what the call throws. */
  perform(action: Action): readonly Result[] {
    const { exports: all, module } = this.#instance(action.instance);
    const callee = calleeOf(module, action);
    if (callee === undefined) throw new Error(`the reader has no export ${action.name}`);
    const target = all[action.name] as WebAssembly.ExportValue;
    const types =
      callee.kind === "global" ? [callee.type] : [...callee.parameters, ...callee.results];
    const isForScripts = types.some(isReference) && types.every(isKnownToScripts);
    if (isForScripts || types.some(hasIndex)) return this.#performInScript(callee, target, action);
    const caller =
      CALLERS.get(action) ?? new WebAssembly.Module(callerModule(callee, action.arguments));
    CALLERS.set(action, caller);
    let exports: Exports;
    try {
      ({ exports } = new WebAssembly.Instance(caller, { m: { f: target } }));
    } catch (error) {
      // A function of a declared type that may have subtypes cannot be imported as a plain one.
      if (error instanceof WebAssembly.LinkError)
        return this.#performInScript(callee, target, action);
      throw error;
    }
    const answer = (exports["run"] as () => bigint | readonly bigint[] | undefined)();
    const lanes = answer === undefined ? [] : typeof answer === "bigint" ? [answer] : [...answer];
    return resultsOf(callee).map((type): Result => {
      const own = lanes.splice(0, lanesOf(type));
      if (isReference(type)) return { kind: "reference", isNull: own[0] === 1n, value: undefined };
      const view = new DataView(new ArrayBuffer(RESULT_BYTES));
      for (const [index, lane] of own.entries()) view.setBigInt64(8 * index, lane, true);
      return { kind: "number", bytes: new Uint8Array(view.buffer) };
    });
  }

  /** Whether results are those that a script expects. */
  matches(results: readonly Result[], expected: readonly Constant[]): boolean {
    return (
      results.length === expected.length &&
      results.every((result, index) => this.#matchesOne(result, expected[index] as Constant))
    );
  }

  /** Results in words: equal words for equal results. */
  describe(results: readonly Result[]): string {
    return results
      .map((result) => {
        if (result.kind === "number") return Buffer.from(result.bytes).toString("hex");
        if (result.isNull) return "null";
        const known = [...this.#references].find(([, reference]) => reference === result.value);
        return known === undefined ? typeof result.value : `reference ${known[0]}`;
      })
      .join(", ");
  }

  #performInScript(
    callee: Callee,
    target: WebAssembly.ExportValue,
    action: Action,
  ): readonly Result[] {
    const types = resultsOf(callee);
    const value: unknown =
      callee.kind === "global"
        ? (target as { readonly value: unknown }).value
        : (target as (...given: unknown[]) => unknown)(
            ...action.arguments.map((given) => this.#scriptValue(given)),
          );
    const values: readonly unknown[] =
      types.length === 1 ? [value] : [...((value ?? []) as Iterable<unknown>)];
    return types.map((type, index): Result => {
      if (isReference(type))
        return { kind: "reference", isNull: values[index] === null, value: values[index] };
      return { kind: "number", bytes: bytesOf(type, values[index]) };
    });
  }

  #scriptValue(constant: Constant): unknown {
    if (constant.kind === "reference")
      return constant.form === "null" ? null : this.#reference(constant.id ?? 0);
    const lane = constant.kind === "number" ? constant.lanes[0] : undefined;
    if (constant.kind !== "number" || typeof lane !== "bigint")
      throw new SyntaxError("no argument");
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, lane, true);
    switch (constant.type) {
      case "i32":
        return view.getInt32(0, true);
      case "f32":
        return view.getFloat32(0, true);
      case "f64":
        return view.getFloat64(0, true);
      default:
        return view.getBigInt64(0, true);
    }
  }

  #matchesOne(result: Result, expected: Constant): boolean {
    if (expected.kind === "either")
      return expected.choices.some((choice) => this.#matchesOne(result, choice));
    if (expected.kind === "number")
      return result.kind === "number" && matchesNumber(expected, result.bytes);
    if (result.kind === "number") return false;
    if (expected.form === "null" || result.isNull)
      return result.isNull === (expected.form === "null");
    if (expected.id !== undefined) return result.value === this.#reference(expected.id);
    if (expected.form === "func") return typeof result.value === "function";
    return expected.form !== "i31" || typeof result.value === "number";
  }

  #reference(id: number): object {
    const reference = this.#references.get(id) ?? { id };
    this.#references.set(id, reference);
    return reference;
  }

  #instance(id: string | undefined): Instance {
    const instance = this.#named.get(id);
    if (instance === undefined) throw new Error(`there is no instance ${id ?? "now"}`);
    return instance;
  }
}

/** What an action is about, as our reader has it; `undefined` where it has no such export. */
export function calleeOf(module: WasmModule, { name, kind }: Action): Callee | undefined {
  for (const entry of module.exports) {
    if (entry.name !== name) continue;
    if (entry.kind === "global" && kind === "get") {
      const { type, mutable } = module.globals.at(entry.index);
      return { kind: "global", type, mutable };
    }
    const type = module.types.at(module.functions[entry.index] ?? 0);
    if (entry.kind === "function" && kind === "invoke" && type.kind === "function")
      return { kind: "function", parameters: type.parameters, results: type.results };
  }
  return undefined;
}

function resultsOf(callee: Callee): readonly number[] {
  return callee.kind === "function" ? callee.results : [callee.type];
}

function isReference(type: number): boolean {
  return type < V128 || type > 0x7f;
}

/** Whether the type names a type by index, which another module cannot repeat. */
function hasIndex(type: number): boolean {
  const byte = type % 256;
  return (
    (byte === REFERENCE.nullable || byte === REFERENCE.plain) && Math.floor(type / 256) >= HEAP_BIAS
  );
}

/** Whether JavaScript can hold values of the type. */
function isKnownToScripts(type: number): boolean {
  const byte = type % 256;
  const heap =
    byte === REFERENCE.nullable || byte === REFERENCE.plain
      ? Math.floor(type / 256) - HEAP_BIAS + REFERENCE.short
      : byte;
  return type !== V128 && !EXCEPTION_HEAP_BYTES.includes(heap);
}

/** A number of JavaScript as the caller module would leave it. */
function bytesOf(type: number, value: unknown): Uint8Array {
  const view = new DataView(new ArrayBuffer(RESULT_BYTES));
  if (type === 0x7f) view.setInt32(0, Number(value), true);
  else if (type === 0x7e) view.setBigInt64(0, value as bigint, true);
  else if (type === 0x7d) view.setFloat32(0, Number(value), true);
  else view.setFloat64(0, Number(value), true);
  return new Uint8Array(view.buffer);
}
