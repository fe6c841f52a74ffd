/**
 * @module An interpreter of WebAssembly 1.0 with several values, bulk memory, tail calls and
 * exceptions (core specification 4), which counts each operator before it runs by the cost table. It
 * reads the original's bytes and knows nothing of blocks that are charged together, of calls that
 * carry fuel, or of the engine.
 */
import { readModule, type WasmModule } from "@glovebox/wasm-binary";
import { COST_TABLE } from "@glovebox/wasm-metering";

import { type Code, decodeBody, type Step } from "./decode.ts";
import { Trap, type Value } from "./numeric.ts";
import { Store } from "./store.ts";

/** An exception of the module. */
export class Thrown extends Error {
  readonly tag: number;
  readonly values: readonly Value[];

  constructor(tag: number, values: readonly Value[]) {
    super("exception");
    this.tag = tag;
    this.values = values;
  }
}

interface Label {
  /** Values below those of the block. */
  readonly height: number;
  /** Values that a branch takes along. */
  readonly arity: number;
  /** The step that a branch goes on with. */
  readonly to: number;
  readonly isLoop: boolean;
  readonly handler: Step | undefined;
}

interface TailCall {
  readonly callee: number;
  readonly given: Value[];
}

/** One instance. */
export class Interpreter {
  /** Units counted so far. */
  units = 0n;
  readonly store: Store;
  readonly #module: WasmModule;
  readonly #codes: (Code | undefined)[] = [];

  constructor(bytes: Uint8Array) {
    const reading = readModule(bytes);
    if (!reading.allowed) throw new Error(reading.reason);
    this.#module = reading.value;
    this.store = new Store(this.#module);
  }

  /** Calls a function of the module. @throws Trap, {@link Thrown}. */
  call(index: number, given: readonly Value[]): Value[] {
    let next: TailCall = { callee: index, given: [...given] };
    for (;;) {
      const done = this.#run(next.callee, next.given);
      if (Array.isArray(done)) return done;
      next = done;
    }
  }

  #run(index: number, given: Value[]): Value[] | TailCall {
    const { steps, locals: zeros } = (this.#codes[index] ??= decodeBody(this.#module, index));
    const { base, freeLocals, localsPerUnit } = COST_TABLE.entry;
    this.#pay(base + Math.ceil(Math.max(0, zeros.length - freeLocals) / localsPerUnit));
    const locals = [...given, ...zeros];
    const { results } = this.#signature(index);
    const stack: Value[] = [];
    const labels: Label[] = [
      { height: 0, arity: results.length, to: steps.length, isLoop: false, handler: undefined },
    ];
    let at = 0;

    const pop = (): Value => {
      const value = stack.pop();
      if (value === undefined) throw new Error("the stack is empty");
      return value;
    };
    const popMany = (count: number): Value[] => stack.splice(stack.length - count, count);
    const branch = (depth: number): void => {
      const place = labels.length - 1 - depth;
      const { arity, height, to, isLoop } = labels[place] as Label;
      const values = popMany(arity);
      stack.length = height;
      stack.push(...values);
      labels.length = isLoop ? place + 1 : place;
      at = to;
    };
    const enter = (step: Step, isLoop: boolean): void => {
      const { parameters, results: given_ } = step.type;
      labels.push({
        height: stack.length - parameters,
        arity: isLoop ? parameters : given_,
        to: isLoop ? at : step.end + 1,
        isLoop,
        handler: step.name === "try_table" ? step : undefined,
      });
    };
    /** Goes to the handler of an exception; `false` where this function has none. */
    const handle = (thrown: Thrown): boolean => {
      for (let place = labels.length - 1; place >= 0; place--) {
        const { handler, height } = labels[place] as Label;
        const found = handler?.catches.find(({ kind, tag }) => kind > 1 || tag === thrown.tag);
        if (found === undefined) continue;
        stack.length = height;
        labels.length = place;
        if (found.kind < 2) stack.push(...thrown.values);
        if (found.kind % 2 === 1) stack.push(thrown);
        branch(found.label);
        return true;
      }
      return false;
    };

    while (at < steps.length && labels.length > 0) {
      const step = steps[at++] as Step;
      this.#pay(step.units);
      if (step.perLength !== undefined) this.#payLength(step, stack.at(-1) as number | bigint);
      try {
        const operation = step.operation;
        if (operation !== undefined) {
          stack.push(operation(...(popMany(operation.length) as never[])));
          continue;
        }
        switch (step.name) {
          case "nop":
            break;
          case "unreachable":
            throw new Trap("unreachable");
          case "block":
          case "try_table":
            enter(step, false);
            break;
          case "loop":
            enter(step, true);
            break;
          case "if": {
            const condition = pop();
            enter(step, false);
            if (condition === 0) at = step.otherwise < 0 ? step.end : step.otherwise + 1;
            break;
          }
          case "else":
            at = step.end;
            break;
          case "end":
            labels.pop();
            break;
          case "br":
            branch(step.first);
            break;
          case "br_if":
            if (pop() !== 0) branch(step.first);
            break;
          case "br_table": {
            const target = Number(pop()) >>> 0;
            branch(step.labels[Math.min(target, step.labels.length - 1)] as number);
            break;
          }
          case "return":
            branch(labels.length - 1);
            break;
          case "call":
            stack.push(
              ...this.call(step.first, popMany(this.#signature(step.first).parameters.length)),
            );
            break;
          case "call_indirect": {
            const callee = this.store.callee(step.second, pop(), step.first);
            stack.push(...this.call(callee, popMany(this.#signature(callee).parameters.length)));
            break;
          }
          case "return_call":
            return {
              callee: step.first,
              given: popMany(this.#signature(step.first).parameters.length),
            };
          case "return_call_indirect": {
            const callee = this.store.callee(step.second, pop(), step.first);
            return { callee, given: popMany(this.#signature(callee).parameters.length) };
          }
          case "throw": {
            const type = this.#module.types.at(this.#module.tags.at(step.first));
            const count = type.kind === "function" ? type.parameters.length : 0;
            throw new Thrown(step.first, popMany(count));
          }
          case "throw_ref": {
            const exception = pop();
            if (exception instanceof Thrown) throw exception;
            throw new Trap("null exception");
          }
          case "drop":
            pop();
            break;
          case "select": {
            const [first, second, condition] = popMany(3);
            stack.push((condition === 0 ? second : first) as Value);
            break;
          }
          case "local.get":
            stack.push(locals[step.first] as Value);
            break;
          case "local.set":
            locals[step.first] = pop();
            break;
          case "local.tee":
            locals[step.first] = stack.at(-1) as Value;
            break;
          case "i32.const":
          case "i64.const":
          case "f32.const":
          case "f64.const":
            stack.push(step.constant);
            break;
          default: {
            const { operands, run } = this.store.operation(step);
            const result = run(...(popMany(operands) as never[]));
            if (result !== undefined) stack.push(result);
          }
        }
      } catch (error) {
        if (!(error instanceof Thrown) || !handle(error)) throw error;
      }
    }
    return popMany(results.length);
  }

  #pay(units: number): void {
    this.units += BigInt(units);
  }

  /** Charges a length that the engine would have to work off; one that it refuses is clamped. */
  #payLength({ perLength, most }: Step, length: number | bigint): void {
    const whole = typeof length === "bigint" ? BigInt.asUintN(64, length) : BigInt(length >>> 0);
    const counted = whole > most ? most : whole;
    if (perLength !== undefined)
      this.units += (counted >> BigInt(perLength.shift)) * BigInt(perLength.units);
  }

  #signature(index: number): {
    readonly parameters: readonly number[];
    readonly results: readonly number[];
  } {
    const type = this.#module.types.at(this.#module.functions[index] as number);
    if (type.kind !== "function") throw new Error("not a function");
    return type;
  }
}
