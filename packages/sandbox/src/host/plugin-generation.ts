/**
 * @module One version of a plugin on its runners: which runner takes a call, how a new runner gets
 * the plugin, when one is replaced, and how the version sleeps and ends. Calls of different tenants
 * never meet in one runner unless the options say so (contract.md 2). A new version is another
 * generation: it takes the new calls while this one drains.
 */
import { received } from "@glovebox/core/errors";
import type { CallOutcome, CallScope } from "@glovebox/core/ports";

import { SandboxError } from "../errors.ts";
import { MAX_QUEUED_CALLS, MAX_QUEUED_INPUT_BYTES } from "../limits.ts";
import { FRAME } from "../protocol/frame-table.ts";
import { failed, NOT_RUN, usageOf } from "./call-outcome.ts";
import type { Exchange, ExchangeLimits } from "./exchange.ts";
import { loadPlugin, type LoadSpec, type NamedModuleBytes } from "./load-plugin.ts";
import type { ModuleStore } from "./module-store.ts";
import { type RecyclePolicy, recycleReason } from "./recycle-policy.ts";
import { queueFull } from "./runner-errors.ts";
import type { LeaseGroup } from "./runner-leases.ts";
import type { LeasedRunner, RunnerPool } from "./runner-pool.ts";
import type { Runner } from "./runner.ts";
import { SleepingModules } from "./sleeping-modules.ts";
import { type Slot, TenantSlots } from "./tenant-slots.ts";

/** What a plugin is, once it was validated, and how many runners it may have. */
export interface GenerationSpec extends Omit<LoadSpec, "modules"> {
  /** The plugin as one that asks for runners, with the most that it may have. */
  readonly group: LeaseGroup;
  /** Most runners for one tenant, and so its concurrency. */
  readonly runnersPerTenant: number;
  readonly shareRunners: boolean;
  readonly recycle: RecyclePolicy;
  readonly pool: RunnerPool;
  readonly store: ModuleStore;
}

/** One call on its way to a runner. */
interface Call {
  readonly scope: CallScope;
  readonly functionName: string;
  readonly input: Uint8Array;
}

/** How many exported names an error lists. */
const LISTED_FUNCTIONS = 20;

/** One version of a plugin. */
export class PluginGeneration {
  readonly #spec: GenerationSpec;
  readonly #callLimits: ExchangeLimits;
  /** Absent where the modules are not metered. */
  readonly #maxInstructions: number | undefined;
  readonly #slots: TenantSlots;
  readonly #modules: SleepingModules;
  /** Unknown until the plugin was started once. */
  #functions: ReadonlyMap<string, number> | undefined;
  #closed: SandboxError | undefined;
  #killed: SandboxError | undefined;
  #settledWaiters: (() => void)[] = [];

  constructor(spec: GenerationSpec, modules: readonly NamedModuleBytes[]) {
    this.#spec = spec;
    this.#modules = new SleepingModules(spec.store, modules);
    const { cpuMs, wallMs, hostCalls, outputBytes } = spec.limits;
    this.#callLimits = { cpuMs, wallMs, hostCalls, answerBytes: outputBytes };
    const { group, pool, instantiate } = spec;
    const isMetered = instantiate.modules[0]?.fuel !== undefined;
    this.#maxInstructions = isMetered ? spec.limits.instructions : undefined;
    this.#slots = new TenantSlots({
      runnersPerTenant: spec.runnersPerTenant,
      isFree: (tenant) => pool.isFree({ group, tenant }),
      start: (tenant) => this.#startRunner(tenant),
      onEnd: () => {
        this.#noteSettled();
        if (this.#slots.isEmpty) void this.#putModulesAway();
      },
    });
  }

  /** Names of the functions that can be called; none until the plugin was started once. */
  get functions(): readonly string[] {
    return [...(this.#functions?.keys() ?? [])];
  }

  get status(): {
    readonly state: "ready" | "sleeping";
    readonly runners: number;
    readonly pending: number;
    readonly pids: readonly number[];
  } {
    const { runners, pending, isEmpty } = this.#slots;
    const state = isEmpty ? "sleeping" : "ready";
    return { state, runners: runners.length, pending, pids: runners.map(({ pid }) => pid) };
  }

  /** Since when nothing was to be done; `undefined` while something is, or nothing is there to do it. */
  get idleSinceMs(): number | undefined {
    const since = this.#slots.runners.map(({ idleSinceMs }) => idleSinceMs ?? Infinity);
    if (since.length === 0 || this.#slots.pending > 0) return undefined;
    return Math.max(...since);
  }

  /**
   * Puts the plugin into its first runner, in which its modules may have been validated already.
   *
   * @throws {@link SandboxError} with the code of what failed
   */
  async start(leased: LeasedRunner, validated: readonly (number | undefined)[]): Promise<void> {
    const modules = await this.#modules.get();
    this.#functions = await loadPlugin(leased.runner, { ...this.#spec, modules }, validated);
    this.#slots.add(leased);
  }

  /** Runs one call; never rejects. The input must not change until the call has settled. */
  call(scope: CallScope, functionName: string, input: Uint8Array): Promise<CallOutcome> {
    const problem = this.#closed ?? this.#checkCall(functionName, input);
    if (problem !== undefined) return Promise.resolve(failed(problem, NOT_RUN, input.length));
    return this.#dispatch({ scope, functionName, input });
  }

  /** Gives back the runners once they have nothing to do; resolves when they are gone and the modules are put away. */
  async sleep(): Promise<void> {
    const { runners } = this.#slots;
    for (const runner of runners) runner.retire("after-all");
    await Promise.all(runners.map((runner) => runner.ended));
    await this.#putModulesAway();
  }

  /** Takes no new calls, and resolves when those that wait or run have settled and the runners are gone. */
  async drain(): Promise<void> {
    this.#closed ??= new SandboxError("SANDBOX_CLOSED");
    while (this.#slots.pending > 0) {
      await new Promise<void>((resolve) => this.#settledWaiters.push(resolve));
    }
    await this.kill(new SandboxError("SANDBOX_CLOSED"));
  }

  /** Ends all runners now; running calls fail with `error`. Resolves when they are gone. */
  async kill(error: SandboxError): Promise<void> {
    this.#closed ??= error;
    this.#killed ??= error;
    const { runners } = this.#slots;
    for (const runner of runners) runner.kill(error);
    await Promise.all(runners.map((runner) => runner.ended));
    await this.#modules.discard();
  }

  async #putModulesAway(): Promise<void> {
    if (this.#closed !== undefined) return;
    await this.#modules.putAway(() => this.#slots.isEmpty);
  }

  #noteSettled(): void {
    if (this.#settledWaiters.length === 0) return;
    for (const resolve of this.#settledWaiters.splice(0)) resolve();
  }

  #checkCall(functionName: string, input: Uint8Array): SandboxError | undefined {
    if (this.#functions?.has(functionName) === false) return this.#missing(functionName);
    const max = this.#spec.limits.inputBytes;
    if (input.length <= max) return undefined;
    return new SandboxError("SANDBOX_INPUT_SIZE", {
      message: `an input of ${input.length} bytes, at most ${max}`,
      details: { bytes: input.length, maxBytes: max },
    });
  }

  #missing(functionName: string): SandboxError {
    // Names of exports are the plugin's own words, and may be long.
    const exported = this.functions.slice(0, LISTED_FUNCTIONS).map((name) => received(name));
    return new SandboxError("SANDBOX_EXPORT_MISSING", {
      message: `the plugin exports no function ${received(functionName)}; it exports ${exported.join(", ")}`,
      details: { function: received(functionName), exported },
    });
  }

  async #startRunner(tenant: string | undefined): Promise<LeasedRunner> {
    const { group, pool } = this.#spec;
    const leased = await pool.take({ group, tenant });
    try {
      if (this.#killed !== undefined) throw this.#killed;
      const modules = await this.#modules.get();
      this.#functions = await loadPlugin(leased.runner, { ...this.#spec, modules }, []);
      return leased;
    } catch (error) {
      leased.runner.kill(notStarted(error));
      throw error;
    }
  }

  #dispatch(call: Call): Promise<CallOutcome> {
    const slot = this.#slots.choose(this.#spec.shareRunners ? undefined : call.scope.tenantId);
    const { leased } = slot;
    return leased === undefined
      ? this.#callWhenStarted(slot, call)
      : this.#callOn(leased.runner, call);
  }

  /** As in a runner's own queue, so many calls and bytes may wait for a start, and an abort ends the wait. */
  async #callWhenStarted(slot: Slot, call: Call): Promise<CallOutcome> {
    const { scope, input } = call;
    const isTooMuch = slot.waiting > 0 && slot.waitingBytes + input.length > MAX_QUEUED_INPUT_BYTES;
    if (slot.waiting >= MAX_QUEUED_CALLS || isTooMuch) {
      return failed(queueFull(slot.waiting, slot.waitingBytes), NOT_RUN, input.length);
    }
    slot.waiting += 1;
    slot.waitingBytes += input.length;
    try {
      const runner = await unlessAborted(scope.signal, slot.starting);
      // Not awaited here: what waits in the runner's queue does not wait for its start.
      if (runner !== undefined) return this.#callOn(runner, call);
      return failed(new SandboxError("SANDBOX_NOT_STARTED"), NOT_RUN, input.length);
    } catch (error) {
      return failed(notStarted(error), NOT_RUN, input.length);
    } finally {
      slot.waiting -= 1;
      slot.waitingBytes -= input.length;
      this.#noteSettled();
    }
  }

  #callOn(runner: Runner, call: Call): Promise<CallOutcome> {
    const { scope, functionName, input } = call;
    const place = this.#functions?.get(functionName);
    if (place === undefined) {
      return Promise.resolve(failed(this.#missing(functionName), NOT_RUN, input.length));
    }
    return new Promise((resolve) => {
      const exchange: Exchange = {
        type: FRAME.CALL,
        argument: place,
        payload: input,
        limits: this.#callLimits,
        host: { scope, services: this.#spec.services, rate: this.#spec.hostCallRate },
        succeed: (pages, output, usage) => {
          const used = usageOf(usage, input.length, output.length, pages, this.#maxInstructions);
          resolve({ ok: true, output, usage: used });
          this.#settled(runner);
        },
        fail: (error, usage) => {
          if (this.#isForSuccessor(runner, error)) {
            resolve(this.#dispatch(call));
            return;
          }
          resolve(failed(error, usage, input.length, this.#maxInstructions));
          this.#settled(runner, error.code);
        },
      };
      if (scope.signal.aborted) {
        exchange.fail(new SandboxError("SANDBOX_ABORTED"), NOT_RUN);
        return;
      }
      runner.submit(exchange);
    });
  }

  /** A runner that ends for its successor leaves it the calls that it had not started. */
  #isForSuccessor(runner: Runner, { code }: SandboxError): boolean {
    return code === "SANDBOX_NOT_STARTED" && runner.isRetiring && this.#killed === undefined;
  }

  #settled(runner: Runner, failure?: string): void {
    this.#noteSettled();
    if (!runner.usable) return;
    const reason = recycleReason(this.#spec.recycle, runner.use, failure);
    if (reason === undefined) return;
    const isPatient = reason === "calls" || reason === "memory";
    runner.retire(isPatient ? "after-all" : "after-this");
  }
}

/** What `started` answers, unless the signal is aborted first. */
async function unlessAborted<T>(
  signal: AbortSignal,
  started: Promise<T> | undefined,
): Promise<T | undefined> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(new SandboxError("SANDBOX_ABORTED"));
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([started, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function notStarted(error: unknown): SandboxError {
  if (error instanceof SandboxError) return error;
  return new SandboxError("SANDBOX_NOT_STARTED", { cause: error });
}
