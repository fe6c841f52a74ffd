/**
 * @module The sandbox: warm processes in which WebAssembly plugins are validated, loaded and
 * called, one process per plugin and tenant. What a plugin does there reaches the host only as
 * frames, and the world only through the services that the host gave it.
 */
import { allow, type Decision, refuse } from "@glovebox/core/decision";
import { createGcra, type Gcra } from "@glovebox/core/flow";
import { newCallId, type PluginId } from "@glovebox/core/ids";
import type {
  CallOutcome,
  CallScope,
  Engine,
  EngineVerdict,
  HostServices,
} from "@glovebox/core/ports";

import { SandboxError } from "./errors.ts";
import {
  command,
  configureRunner,
  type NamedModuleBytes,
  type RunnerLimits,
} from "./host/load-plugin.ts";
import { PluginGeneration } from "./host/plugin-generation.ts";
import { belowMinimum, RunnerPool } from "./host/runner-pool.ts";
import { Runner } from "./host/runner.ts";
import { openSocketPairFactory, type SocketPairFactory } from "./host/socket-pair.ts";
import { ISOLATION_LEVELS, type IsolationLevel, levelOf } from "./isolation-level.ts";
import {
  DEFAULT_CLOCK_RESOLUTION_NS,
  DEFAULT_POOL_SIZE,
  DEFAULT_RUNNER_LIMITS,
  MAX_MODULE_BYTES,
} from "./limits.ts";
import type { Abi } from "./protocol/abi-requirements.ts";
import { FRAME } from "./protocol/frame-table.ts";

/** Options of {@link createSandbox}. */
export interface SandboxOptions {
  /** Runners kept warm. Default 2; 0 = boot on demand. */
  readonly poolSize?: number;
  /** Refuse runners below this level. Default `permission`. */
  readonly minimumIsolation?: IsolationLevel;
}

/** What a sandbox takes from its surroundings. */
export interface SandboxDeps {
  /** Path of the program that a runner's process runs. Default: the runner of this package. */
  readonly runnerProgram?: string;
}

/** What a sandbox is doing now. */
export interface SandboxStatus {
  /** The level that this sandbox's runners have proven. */
  readonly isolation: IsolationLevel;
  readonly minimumIsolation: IsolationLevel;
  /** Processes: waiting for a plugin, and in all. */
  readonly runners: { readonly warm: number; readonly live: number };
}

/** For whom a runner is reserved. */
export interface ReserveRequest {
  readonly pluginId: PluginId;
  /** Limits that differ from the defaults. */
  readonly limits?: Partial<RunnerLimits>;
}

/** What to load into a reserved runner. */
export interface PluginSpec {
  readonly abi: Abi;
  /** The last module is the plugin; it can import from the others by name. */
  readonly modules: readonly NamedModuleBytes[];
  /** `call` makes a fresh instance for each call, as a WASI command always gets. Default `runner`. */
  readonly instance?: "runner" | "call";
  /** Arguments of a WASI program after its name. Default: none. Its environment is the services' configuration. */
  readonly args?: readonly string[];
  /** What WASI's clocks are rounded down to, nanoseconds. Default 1,000,000; a finer one is a loosening. */
  readonly clockResolutionNs?: number;
  readonly services: HostServices;
  /** Runners for one tenant, and so its concurrency. Default 1. */
  readonly runnersPerTenant?: number;
  /** Runners for this plugin in all. Default 8. */
  readonly maxRunners?: number;
  /** Let tenants share runners: a named loosening. Default false. */
  readonly shareRunners?: boolean;
}

/** A locked process that belongs to one plugin from now on. */
export interface ReservedRunner extends Engine, AsyncDisposable {
  /**
   * The engine's verdict on a module, given in this process (invariant I1).
   */
  validate(original: Uint8Array): Promise<Decision<EngineVerdict>>;
  /** Loads and starts the plugin here; a refusal ends the process. */
  start(spec: PluginSpec): Promise<Decision<SandboxedPlugin>>;
}

/** A plugin that can be called. */
export interface SandboxedPlugin extends AsyncDisposable {
  /** Names of the functions that can be called. */
  readonly functions: readonly string[];
  /**
   * Runs one call; never rejects. The input must not change until it has settled; the output is
   * memory of its own. Aborting the scope's signal ends the call, and its process if it runs.
   */
  call(scope: CallScope, functionName: string, input: Uint8Array): Promise<CallOutcome>;
  status(): {
    readonly runners: number;
    readonly pending: number;
    readonly pids: readonly number[];
  };
  /** Takes no new calls; resolves when the others have settled and the processes are gone. */
  drain(): Promise<void>;
  /** Ends the processes now; running calls fail with `SANDBOX_ABORTED`. */
  kill(reason: string): Promise<void>;
}

/** Processes for plugins. */
export interface Sandbox extends AsyncDisposable {
  status(): SandboxStatus;
  /** Takes a process from the pool and gives it the plugin's limits. */
  reserve(request: ReserveRequest): Promise<Decision<ReservedRunner>>;
  /** Ends every process and waits until they are gone. */
  close(): Promise<void>;
}

/**
 * Opens a sandbox with its pool filled, so that what it reports was proven.
 *
 * @throws {@link SandboxError} (`SANDBOX_OPTIONS`, `SANDBOX_BOOT_FAILED`, `SANDBOX_ISOLATION`)
 */
export async function createSandbox(
  options: SandboxOptions = {},
  deps: SandboxDeps = {},
): Promise<Sandbox> {
  const { poolSize = DEFAULT_POOL_SIZE, minimumIsolation = "permission" } = options;
  if (!Number.isInteger(poolSize) || poolSize < 0) {
    throw new SandboxError("SANDBOX_OPTIONS", {
      message: `poolSize must be a whole number from 0, received ${poolSize}`,
    });
  }
  if (!ISOLATION_LEVELS.includes(minimumIsolation)) {
    throw new SandboxError("SANDBOX_OPTIONS", {
      message: `minimumIsolation must be one of ${ISOLATION_LEVELS.join(", ")}`,
    });
  }
  const pairs = await openSocketPairFactory();
  const pool = new RunnerPool({
    size: poolSize,
    minimumIsolation,
    async boot() {
      const { runner, hello } = await Runner.boot(pairs, "plugin", deps.runnerProgram);
      return { runner, level: levelOf(hello) };
    },
  });
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= pool.close().then(() => pairs.close()));
  let isolation: IsolationLevel;
  try {
    [isolation] = await Promise.all([proveIsolation(pairs, deps), pool.fill()]);
    const problem = belowMinimum(isolation, minimumIsolation);
    if (problem !== undefined) throw problem;
  } catch (error) {
    await close();
    throw error;
  }
  return {
    status: () => ({ isolation, minimumIsolation, runners: { warm: pool.warm, live: pool.live } }),
    async reserve(request) {
      const limits: RunnerLimits = { ...DEFAULT_RUNNER_LIMITS, ...request.limits };
      const problem = problemOfLimits(limits);
      if (problem !== undefined) return refuse("SANDBOX_OPTIONS", "sandbox.limits", problem);
      try {
        const runner = await pool.take();
        return allow("sandbox.pool", reservedRunner(runner, pool, request.pluginId, limits));
      } catch (error) {
        return refusalOf(error, "sandbox.pool");
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** A limit that is no number would be no limit: NaN is never exceeded. */
function problemOfLimits(limits: RunnerLimits): string | undefined {
  const bad = Object.entries(limits).find(([, value]) => !Number.isFinite(value) || value < 0);
  if (bad !== undefined) return `${bad[0]} must be a number from 0, received ${bad[1]}`;
  if (limits.hostCallsPerSecond > 0) return undefined;
  return "hostCallsPerSecond must be above 0; hostCalls: 0 allows none";
}

function hostCallRate({ hostCallsPerSecond }: RunnerLimits): Gcra {
  return createGcra({ ratePerSecond: hostCallsPerSecond, burst: hostCallsPerSecond });
}

/** Boots a process that tries what must be refused, and ends it. */
async function proveIsolation(
  pairs: SocketPairFactory,
  { runnerProgram }: SandboxDeps,
): Promise<IsolationLevel> {
  const { runner, hello } = await Runner.boot(pairs, "canary", runnerProgram);
  runner.kill(new SandboxError("SANDBOX_CLOSED"));
  await runner.ended;
  return levelOf(hello);
}

function reservedRunner(
  runner: Runner,
  pool: RunnerPool,
  pluginId: PluginId,
  limits: RunnerLimits,
): ReservedRunner {
  const decoder = new TextDecoder();
  const places = new Map<Uint8Array, number>();
  let configured: Promise<Uint8Array> | undefined;
  let started = false;
  const end = async (): Promise<void> => {
    runner.kill(new SandboxError("SANDBOX_CLOSED"));
    await runner.ended;
  };
  return {
    async validate(original) {
      try {
        if (original.length > MAX_MODULE_BYTES) {
          return refuse(
            "SANDBOX_MODULE_INVALID",
            "sandbox.engine",
            `a module of ${original.length} bytes, at most ${MAX_MODULE_BYTES}`,
          );
        }
        // Both are sent at once: a runner that cannot be configured answers neither well.
        configured ??= configureRunner(runner, limits);
        runner.advance("validate");
        const judged = command(runner, FRAME.VALIDATE, 0, original, limits);
        const [, answer] = await Promise.all([configured, judged]);
        places.set(original, places.size);
        return allow("sandbox.engine", JSON.parse(decoder.decode(answer)) as EngineVerdict);
      } catch (error) {
        return refusalOf(error, "sandbox.engine");
      }
    },
    async start(spec) {
      if (started)
        throw new SandboxError("SANDBOX_CLOSED", {
          message: "this runner has been started already",
        });
      started = true;
      try {
        const generation = new PluginGeneration({
          instantiate: {
            abi: spec.abi,
            modules: spec.modules.map(({ name }) => name),
            freshInstances: spec.instance === "call",
            hostFunctions: [...spec.services.functions].map(([name, { parameters, result }]) => ({
              name,
              parameters,
              result,
            })),
            config: Object.fromEntries(spec.services.config),
            folders: spec.services.files.folders,
            args: spec.args ?? [],
            clockResolutionNs: spec.clockResolutionNs ?? DEFAULT_CLOCK_RESOLUTION_NS,
          },
          modules: spec.modules,
          limits,
          services: spec.services,
          startScope: startScope(pluginId),
          hostCallRate: hostCallRate(limits),
          maxRunners: spec.maxRunners ?? 8,
          runnersPerTenant: spec.runnersPerTenant ?? 1,
          shareRunners: spec.shareRunners ?? false,
          takeRunner: () => pool.take(),
        });
        await generation.start(
          runner,
          spec.modules.map(({ bytes }) => places.get(bytes)),
        );
        return allow("sandbox.start", pluginOf(generation));
      } catch (error) {
        await end();
        return refusalOf(error, "sandbox.start");
      }
    },
    [Symbol.asyncDispose]: () => (started ? Promise.resolve() : end()),
  };
}

function pluginOf(generation: PluginGeneration): SandboxedPlugin {
  return {
    get functions() {
      return generation.functions;
    },
    call: (scope, functionName, input) => generation.call(scope, functionName, input),
    status: () => generation.status,
    drain: () => generation.drain(),
    kill: (reason) => generation.kill(new SandboxError("SANDBOX_ABORTED", { message: reason })),
    [Symbol.asyncDispose]: () => generation.drain(),
  };
}

/** Start functions and initialisers run on nobody's behalf: host calls there belong to no tenant. */
function startScope(pluginId: PluginId): CallScope {
  return {
    pluginId,
    callId: newCallId(),
    signal: new AbortController().signal,
    meter: { add: () => undefined },
  };
}

function refusalOf(error: unknown, rule: string): Decision<never> {
  if (error instanceof SandboxError) return refuse(error.code, rule, error.message);
  return refuse(
    "SANDBOX_BOOT_FAILED",
    rule,
    error instanceof Error ? error.message : String(error),
  );
}
