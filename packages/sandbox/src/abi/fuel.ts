/**
 * @module What is left of a call's instructions while it runs, and who has it (issue: one budget per
 * call, also across linked modules). Each metered module has a global of its own; what is left is in
 * the global of the module whose code runs, and moves with each call from one module to another. The
 * others hold {@link LOST}, so that nothing is there twice (threats: linked-budgets).
 */
import { COUNT_LOST } from "../protocol/frame-table.ts";
import { PluginFailure } from "./abi.ts";

/** Of a global: the count is lost. Anything below: the units ran out. */
const LOST = -1n;

/** Price of a function that the runner itself offers, units: about its time. */
const IMPORT_UNITS = 100;
/** Price of a call to the host's process and back, units: some ten microseconds of two processes. */
const HOST_CALL_UNITS = 10_000;
/** Bytes moved for one unit, as in metered code. */
const BYTES_PER_UNIT = 8;

/** Takes units for work that is done outside of metered code; throws when they run out. */
export interface Toll {
  /** For calling a function of the runner, or for so many times as much work. */
  call(times?: number): void;
  /** For calling the host. */
  hostCall(): void;
  /** For moving bytes. */
  bytes(count: number): void;
}

/** For modules without fuel. */
export const NO_TOLL: Toll = { call() {}, hostCall() {}, bytes() {} };

/** The fuel of one instance. */
export class FuelTank implements Toll {
  #budget = 0n;
  /** What is left while no module has it. */
  #kept = 0n;
  #holder: WebAssembly.Global | undefined;

  /** Begins a call. */
  fill(units: bigint): void {
    this.#budget = units;
    this.#left = units;
  }

  /** The module that has what is left. */
  get holder(): WebAssembly.Global | undefined {
    return this.#holder;
  }

  /** Gives what is left to a module; whoever had it has nothing until it comes back. */
  moveTo(module: WebAssembly.Global): void {
    if (module === this.#holder) return;
    const left = this.#left;
    if (this.#holder !== undefined) this.#holder.value = LOST;
    this.#holder = module;
    module.value = left;
  }

  call(times = 1): void {
    this.#pay(times * IMPORT_UNITS);
  }

  hostCall(): void {
    this.#pay(HOST_CALL_UNITS);
  }

  bytes(count: number): void {
    this.#pay(Math.ceil(count / BYTES_PER_UNIT));
  }

  /** Units that the call has used, or {@link COUNT_LOST}. */
  get used(): number {
    const left = this.#left;
    if (left === LOST) return COUNT_LOST;
    return Number(left < LOST ? this.#budget - left - 1n : this.#budget - left);
  }

  /** What is wrong once the units ran out, whatever the plugin made of it; else `undefined`. */
  get failure(): PluginFailure | undefined {
    if (this.#left >= LOST) return undefined;
    return new PluginFailure(
      "SANDBOX_INSTRUCTION_LIMIT",
      `the plugin used up its ${this.#budget} instructions`,
    );
  }

  get #left(): bigint {
    return this.#holder === undefined ? this.#kept : (this.#holder.value as bigint);
  }

  set #left(units: bigint) {
    if (this.#holder === undefined) this.#kept = units;
    else this.#holder.value = units;
  }

  #pay(units: number): void {
    const left = this.#left - BigInt(units);
    // One lower than it is, so that it is never LOST. A plugin may catch what is thrown: its next
    // check then finds nothing left.
    this.#left = left < 0n ? left - 1n : left;
    const { failure } = this;
    if (failure !== undefined) throw failure;
  }
}
