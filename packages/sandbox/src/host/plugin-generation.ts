/**
 * @module One version of a plugin on its runners: which runner takes a call, how a new runner gets
 * the plugin, and how the version ends. Calls of different tenants never meet in one runner unless
 * the options say so (contract.md 2). A new version is another generation: it takes the new calls
 * while this one drains.
 */
import { received } from "@glovebox/core/errors";
import type { CallOutcome, CallScope } from "@glovebox/core/ports";

import { SandboxError } from "../errors.ts";
import { FRAME } from "../protocol/frame-table.ts";
import { failed, NOT_RUN, usageOf } from "./call-outcome.ts";
import type { Exchange, ExchangeLimits } from "./exchange.ts";
import { loadPlugin, type LoadSpec } from "./load-plugin.ts";
import type { Runner } from "./runner.ts";
import { type Slot, TenantSlots } from "./tenant-slots.ts";

/** What a plugin is, once it was validated, and how many runners it may have. */
export interface GenerationSpec extends LoadSpec {
  /** Most runners at once. */
  readonly maxRunners: number;
  /** Most runners for one tenant, and so its concurrency. */
  readonly runnersPerTenant: number;
  readonly shareRunners: boolean;
  takeRunner(): Promise<Runner>;
}

/** How many exported names an error lists. */
const LISTED_FUNCTIONS = 20;

/** One version of a plugin. */
export class PluginGeneration {
  readonly #spec: GenerationSpec;
  readonly #callLimits: ExchangeLimits;
  readonly #slots: TenantSlots;
  #functions: ReadonlyMap<string, number> = new Map();
  #closed: SandboxError | undefined;
  #settledWaiters: (() => void)[] = [];

  constructor(spec: GenerationSpec) {
    this.#spec = spec;
    const { cpuMs, wallMs, hostCalls, outputBytes } = spec.limits;
    this.#callLimits = { cpuMs, wallMs, hostCalls, answerBytes: outputBytes };
    this.#slots = new TenantSlots({
      maxRunners: spec.maxRunners,
      runnersPerTenant: spec.runnersPerTenant,
      start: () => this.#startRunner(),
      onEnd: () => this.#noteSettled(),
    });
  }

  /** Names of the functions that can be called. */
  get functions(): readonly string[] {
    return [...this.#functions.keys()];
  }

  get status(): {
    readonly runners: number;
    readonly pending: number;
    readonly pids: readonly number[];
  } {
    const { runners, pending } = this.#slots;
    return { runners: runners.length, pending, pids: runners.map(({ pid }) => pid) };
  }

  /**
   * Puts the plugin into its first runner, in which its modules may have been validated already.
   *
   * @throws {@link SandboxError} with the code of what failed
   */
  async start(runner: Runner, validated: readonly (number | undefined)[]): Promise<void> {
    this.#functions = await loadPlugin(runner, this.#spec, validated);
    this.#slots.add(runner);
  }

  /** Runs one call; never rejects. The input must not change until the call has settled. */
  call(scope: CallScope, functionName: string, input: Uint8Array): Promise<CallOutcome> {
    const place = this.#functions.get(functionName);
    const problem = this.#closed ?? this.#checkCall(place, functionName, input);
    if (problem !== undefined || place === undefined) {
      return Promise.resolve(
        failed(problem ?? new SandboxError("SANDBOX_CLOSED"), NOT_RUN, input.length),
      );
    }
    const slot = this.#slots.choose(this.#spec.shareRunners ? undefined : scope.tenantId);
    if (slot === undefined) {
      const full = new SandboxError("SANDBOX_QUEUE_FULL", {
        message: "all runners of this plugin serve other tenants",
      });
      return Promise.resolve(failed(full, NOT_RUN, input.length));
    }
    return slot.runner === undefined
      ? this.#callWhenStarted(slot, scope, place, input)
      : this.#callOn(slot.runner, scope, place, input);
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
    const { runners } = this.#slots;
    for (const runner of runners) runner.kill(error);
    await Promise.all(runners.map((runner) => runner.ended));
  }

  #noteSettled(): void {
    if (this.#settledWaiters.length === 0) return;
    for (const resolve of this.#settledWaiters.splice(0)) resolve();
  }

  #checkCall(
    place: number | undefined,
    functionName: string,
    input: Uint8Array,
  ): SandboxError | undefined {
    if (place === undefined) {
      // Names of exports are the plugin's own words, and may be long.
      const exported = this.functions.slice(0, LISTED_FUNCTIONS).map((name) => received(name));
      return new SandboxError("SANDBOX_EXPORT_MISSING", {
        message: `the plugin exports no function ${received(functionName)}; it exports ${exported.join(", ")}`,
        details: { function: received(functionName), exported },
      });
    }
    const max = this.#spec.limits.inputBytes;
    if (input.length <= max) return undefined;
    return new SandboxError("SANDBOX_INPUT_SIZE", {
      message: `an input of ${input.length} bytes, at most ${max}`,
      details: { bytes: input.length, maxBytes: max },
    });
  }

  async #startRunner(): Promise<Runner> {
    const runner = await this.#spec.takeRunner();
    if (this.#closed !== undefined) {
      runner.kill(this.#closed);
      throw this.#closed;
    }
    await loadPlugin(runner, this.#spec, []);
    return runner;
  }

  async #callWhenStarted(
    slot: Slot,
    scope: CallScope,
    place: number,
    input: Uint8Array,
  ): Promise<CallOutcome> {
    slot.waiting += 1;
    try {
      const runner = await slot.starting;
      if (runner === undefined)
        return failed(new SandboxError("SANDBOX_NOT_STARTED"), NOT_RUN, input.length);
      return await this.#callOn(runner, scope, place, input);
    } catch (error) {
      return failed(notStarted(error), NOT_RUN, input.length);
    } finally {
      slot.waiting -= 1;
      this.#noteSettled();
    }
  }

  #callOn(
    runner: Runner,
    scope: CallScope,
    place: number,
    input: Uint8Array,
  ): Promise<CallOutcome> {
    return new Promise((resolve) => {
      const exchange: Exchange = {
        type: FRAME.CALL,
        argument: place,
        payload: input,
        limits: this.#callLimits,
        host: { scope, services: this.#spec.services, rate: this.#spec.hostCallRate },
        succeed: (pages, output, usage) => {
          resolve({ ok: true, output, usage: usageOf(usage, input.length, output.length, pages) });
          this.#noteSettled();
        },
        fail: (error, usage) => {
          resolve(failed(error, usage, input.length));
          this.#noteSettled();
        },
      };
      if (scope.signal.aborted) {
        exchange.fail(new SandboxError("SANDBOX_ABORTED"), NOT_RUN);
        return;
      }
      runner.submit(exchange);
    });
  }
}

function notStarted(error: unknown): SandboxError {
  if (error instanceof SandboxError) return error;
  return new SandboxError("SANDBOX_NOT_STARTED", { cause: error });
}
