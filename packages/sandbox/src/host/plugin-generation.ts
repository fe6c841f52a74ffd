/**
 * @module One version of a plugin on its runners: which runner takes a call, how a new runner gets
 * the plugin, and how the version ends. Calls of different tenants never meet in one runner unless
 * the options say so (contract.md 2). A new version is another generation: it takes the new calls
 * while this one drains.
 */
import type { CallOutcome, CallScope, CodedError, HostServices, Usage } from "@glovebox/core/ports";

import type { InstantiateSpec } from "../abi/abi.ts";
import { SandboxError } from "../errors.ts";
import { MAX_CONTROL_BYTES, WASM_PAGE_BYTES } from "../limits.ts";
import { FRAME, type FrameType, LOAD_FROM_PAYLOAD } from "../protocol/frame-table.ts";
import { type Abortable, AbortWatch } from "./abort-watch.ts";
import type { Exchange, ExchangeLimits, ExchangeUsage, HostCallContext } from "./exchange.ts";
import type { Runner } from "./runner.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const NO_PAYLOAD = new Uint8Array(0);

/** Limits of one plugin. All counts are per call, sizes in bytes, times in milliseconds. */
export interface RunnerLimits {
  /** Linear memory, and with a fixed allowance for the engine the process's data. */
  readonly memoryBytes: number;
  /** CPU time of one call. */
  readonly cpuMs: number;
  /** Wall time of one call, host calls included. */
  readonly wallMs: number;
  readonly inputBytes: number;
  readonly outputBytes: number;
  /** Host calls during one call. */
  readonly hostCalls: number;
  /** Elements of a table. */
  readonly tableElements: number;
}

/** A module under the name that others import it by. */
export interface NamedModuleBytes {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What a plugin is, once it was validated. */
export interface GenerationSpec {
  readonly instantiate: InstantiateSpec;
  readonly modules: readonly NamedModuleBytes[];
  readonly limits: RunnerLimits;
  readonly services: HostServices;
  readonly startScope: CallScope;
  /** Most runners at once. */
  readonly maxRunners: number;
  /** Most runners for one tenant, and so its concurrency. */
  readonly runnersPerTenant: number;
  readonly shareRunners: boolean;
  takeRunner(): Promise<Runner>;
}

/** A runner with this plugin in it, or on its way there. */
interface Slot {
  tenant: string | undefined;
  /** Whether a call has fixed the tenant. */
  used: boolean;
  runner: Runner | undefined;
  starting: Promise<Runner> | undefined;
  waiting: number;
}

/** One version of a plugin. */
export class PluginGeneration {
  readonly #spec: GenerationSpec;
  readonly #callLimits: ExchangeLimits;
  readonly #slots: Slot[] = [];
  readonly #aborts = new AbortWatch();
  #functions: ReadonlyMap<string, number> = new Map();
  #closed: SandboxError | undefined;

  constructor(spec: GenerationSpec) {
    this.#spec = spec;
    const { cpuMs, wallMs, hostCalls, outputBytes } = spec.limits;
    this.#callLimits = { cpuMs, wallMs, hostCalls, answerBytes: outputBytes };
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
    const live = this.#slots.filter((slot) => slot.runner !== undefined);
    return {
      runners: live.length,
      pending: this.#slots.reduce(
        (sum, slot) => sum + slot.waiting + (slot.runner?.pending ?? 0),
        0,
      ),
      pids: live.map((slot) => slot.runner?.pid ?? 0),
    };
  }

  /**
   * Puts the plugin into its first runner, in which its modules may have been validated already.
   *
   * @throws {@link SandboxError} with the code of what failed
   */
  async start(runner: Runner, validated: readonly (number | undefined)[]): Promise<void> {
    await this.#load(runner, validated);
    this.#adopt(
      { tenant: undefined, used: false, runner, starting: undefined, waiting: 0 },
      runner,
    );
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
    const slot = this.#chooseSlot(scope);
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
    while (this.#slots.some((slot) => slot.waiting > 0 || (slot.runner?.pending ?? 0) > 0)) {
      await this.#nextSettled();
    }
    await this.kill(new SandboxError("SANDBOX_CLOSED"));
  }

  /** Ends all runners now; running calls fail with `error`. Resolves when they are gone. */
  async kill(error: SandboxError): Promise<void> {
    this.#closed ??= error;
    const runners = this.#slots.flatMap((slot) => slot.runner ?? []);
    for (const runner of runners) runner.kill(error);
    await Promise.all(runners.map((runner) => runner.ended));
  }

  #settledWaiters: (() => void)[] = [];

  #nextSettled(): Promise<void> {
    return new Promise((resolve) => this.#settledWaiters.push(resolve));
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
      return new SandboxError("SANDBOX_EXPORT_MISSING", {
        message: `the plugin exports no function ${JSON.stringify(functionName)}; it exports ${this.functions.slice(0, 20).join(", ")}`,
        details: { function: functionName, exported: this.functions.slice(0, 20) },
      });
    }
    const max = this.#spec.limits.inputBytes;
    if (input.length <= max) return undefined;
    return new SandboxError("SANDBOX_INPUT_SIZE", {
      message: `an input of ${input.length} bytes, at most ${max}`,
      details: { bytes: input.length, maxBytes: max },
    });
  }

  /** The tenant's least busy runner, a new one where it may have more, or an idle one of another tenant. */
  #chooseSlot(scope: CallScope): Slot | undefined {
    const tenant = this.#spec.shareRunners ? undefined : scope.tenantId;
    let best: Slot | undefined;
    let bestLoad = Number.POSITIVE_INFINITY;
    let count = 0;
    for (const slot of this.#slots) {
      if (slot.used && slot.tenant !== tenant) continue;
      count += 1;
      const load = slot.waiting + (slot.runner?.pending ?? 0);
      if (load < bestLoad) [best, bestLoad] = [slot, load];
    }
    if (best === undefined || (bestLoad > 0 && count < this.#spec.runnersPerTenant)) {
      best = this.#newSlot(tenant) ?? best;
    }
    if (best !== undefined && !best.used) {
      best.tenant = tenant;
      best.used = true;
    }
    return best;
  }

  #newSlot(tenant: string | undefined): Slot | undefined {
    if (this.#slots.length >= this.#spec.maxRunners && !this.#retireIdleSlot(tenant))
      return undefined;
    const slot: Slot = { tenant, used: true, runner: undefined, starting: undefined, waiting: 0 };
    this.#slots.push(slot);
    slot.starting = this.#startSlot(slot);
    return slot;
  }

  /** A runner that has served one tenant ends before another is served: nothing is wiped and reused. */
  #retireIdleSlot(tenant: string | undefined): boolean {
    const at = this.#slots.findIndex(
      (slot) => slot.tenant !== tenant && slot.waiting === 0 && slot.runner?.pending === 0,
    );
    const [idle] = at < 0 ? [] : this.#slots.splice(at, 1);
    idle?.runner?.kill(new SandboxError("SANDBOX_CLOSED"));
    return idle !== undefined;
  }

  async #startSlot(slot: Slot): Promise<Runner> {
    try {
      const runner = await this.#spec.takeRunner();
      if (this.#closed !== undefined) {
        runner.kill(this.#closed);
        throw this.#closed;
      }
      await this.#load(runner, []);
      this.#adopt(slot, runner);
      return runner;
    } catch (error) {
      this.#remove(slot);
      throw error;
    } finally {
      slot.starting = undefined;
    }
  }

  #adopt(slot: Slot, runner: Runner): void {
    slot.runner = runner;
    if (!this.#slots.includes(slot)) this.#slots.push(slot);
    void runner.ended.then(() => {
      this.#remove(slot);
      this.#noteSettled();
    });
  }

  #remove(slot: Slot): void {
    const at = this.#slots.indexOf(slot);
    if (at >= 0) this.#slots.splice(at, 1);
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
        host: { scope, services: this.#spec.services },
        succeed: (pages, output, usage) => {
          this.#aborts.settle(abortable);
          resolve({ ok: true, output, usage: usageOf(usage, input.length, output.length, pages) });
          this.#noteSettled();
        },
        fail: (error, usage) => {
          this.#aborts.settle(abortable);
          resolve(failed(error, usage, input.length));
          this.#noteSettled();
        },
      };
      const abortable: Abortable = {
        signal: scope.signal,
        settled: false,
        abort: () => runner.abort(exchange),
      };
      if (scope.signal.aborted) {
        exchange.fail(new SandboxError("SANDBOX_ABORTED"), NOT_RUN);
        return;
      }
      this.#aborts.add(abortable);
      runner.submit(exchange);
    });
  }

  /** CONFIGURE, LOAD each module, INSTANTIATE: sent in one go, since a failure ends the runner anyway. */
  async #load(runner: Runner, validated: readonly (number | undefined)[]): Promise<void> {
    const { modules, limits, instantiate, startScope, services } = this.#spec;
    try {
      if (runner.state === "warm") await configureRunner(runner, limits);
      const steps = modules.map(({ bytes }, at) => {
        const place = validated[at];
        runner.advance("load");
        return place === undefined
          ? command(runner, FRAME.LOAD, LOAD_FROM_PAYLOAD, bytes, limits)
          : command(runner, FRAME.LOAD, place, NO_PAYLOAD, limits);
      });
      runner.advance("instantiate");
      const payload = encoder.encode(JSON.stringify(instantiate));
      steps.push(
        command(runner, FRAME.INSTANTIATE, 0, payload, limits, { services, scope: startScope }),
      );
      const answers = await Promise.all(steps);
      this.#functions = parseFunctions(answers.at(-1));
    } catch (error) {
      runner.kill(
        error instanceof SandboxError
          ? error
          : new SandboxError("SANDBOX_BOOT_FAILED", { cause: error }),
      );
      throw error;
    }
  }
}

/** Gives a warm runner the limits of its plugin. */
export function configureRunner(runner: Runner, limits: RunnerLimits): Promise<Uint8Array> {
  runner.advance("configure");
  const configuration = {
    memoryBytes: limits.memoryBytes,
    tableElements: limits.tableElements,
    outputBytes: limits.outputBytes,
    transferBytes: limits.inputBytes + limits.outputBytes,
  };
  return command(runner, FRAME.CONFIGURE, 0, encoder.encode(JSON.stringify(configuration)), limits);
}

/** Sends a control command and waits for its answer. */
export function command(
  runner: Runner,
  type: FrameType,
  argument: number,
  payload: Uint8Array,
  limits: RunnerLimits,
  host?: HostCallContext,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    runner.submit({
      type,
      argument,
      payload,
      limits: {
        cpuMs: limits.cpuMs,
        wallMs: limits.wallMs,
        hostCalls: limits.hostCalls,
        answerBytes: MAX_CONTROL_BYTES,
      },
      ...(host === undefined ? {} : { host }),
      succeed: (_argument, answer) => resolve(answer),
      fail: (error) => reject(error),
    });
  });
}

/** The list of functions comes from the plugin's process. */
function parseFunctions(answer: Uint8Array | undefined): ReadonlyMap<string, number> {
  const parsed = JSON.parse(decoder.decode(answer)) as { functions?: unknown } | null;
  const names = Array.isArray(parsed?.functions) ? (parsed.functions as unknown[]) : [];
  if (names.length > 0xffff || names.some((name) => typeof name !== "string")) {
    throw new SandboxError("SANDBOX_PROTOCOL", { message: "the list of functions is malformed" });
  }
  return new Map((names as string[]).map((name, place) => [name, place]));
}

const NOT_RUN: ExchangeUsage = { wallMs: 0, cpuMs: 0 };

function notStarted(error: unknown): SandboxError {
  if (error instanceof SandboxError) return error;
  return new SandboxError("SANDBOX_NOT_STARTED", { cause: error });
}

function failed(error: SandboxError, usage: ExchangeUsage, inputBytes: number): CallOutcome {
  const { code, message, publicMessage, details } = error;
  const coded: CodedError = { code, message, publicMessage, details };
  return { ok: false, error: coded, usage: usageOf(usage, inputBytes, 0, undefined) };
}

function usageOf(
  usage: ExchangeUsage,
  inputBytes: number,
  outputBytes: number,
  pages: number | undefined,
): Usage {
  return {
    wallMs: usage.wallMs,
    cpuMs: usage.cpuMs,
    instructions: null,
    instructionsExact: null,
    memoryPeakBytes: pages === undefined ? null : pages * WASM_PAGE_BYTES,
    inputBytes,
    outputBytes,
    networkRequests: 0,
    fileOperations: 0,
  };
}
