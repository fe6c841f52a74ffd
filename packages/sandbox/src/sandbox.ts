/**
 * @module The sandbox: warm processes in which WebAssembly plugins are validated, loaded and
 * called, one process per plugin and tenant. What a plugin does there reaches the host only as
 * frames, and the world only through the services that the host gave it.
 */
import { type Clock, systemClock } from "@glovebox/core/clock";
import { allow, type Decision, refuse } from "@glovebox/core/decision";
import type { PluginId } from "@glovebox/core/ids";
import type { CallOutcome, CallScope, Engine, EngineVerdict } from "@glovebox/core/ports";
import type { User } from "@glovebox/linux/process";

import { SandboxError } from "./errors.ts";
import { runCanary } from "./host/canary.ts";
import { openLauncher } from "./host/launcher.ts";
import { command, configureRunner, type RunnerLimits } from "./host/load-plugin.ts";
import { ModuleStore } from "./host/module-store.ts";
import { PluginGeneration } from "./host/plugin-generation.ts";
import {
  generationSpec,
  type PluginPlan,
  problemOfLimits,
  problemOfModules,
} from "./host/plugin-plan.ts";
import { PluginRegistry } from "./host/plugin-registry.ts";
import type { PluginSpec } from "./host/plugin-spec.ts";
import { bootProven, withoutLayer } from "./host/proven-runner.ts";
import { belowMinimum, type LeasedRunner, RunnerPool } from "./host/runner-pool.ts";
import type { Launch } from "./host/runner-process.ts";
import {
  DEFAULT_MINIMUM_ISOLATION,
  ISOLATION_LEVELS,
  type IsolationLayer,
  type IsolationLevel,
  layersOf,
  levelOf,
  type OuterLayer,
} from "./isolation-level.ts";
import {
  DEFAULT_MAX_RUNNERS,
  DEFAULT_POOL_SIZE,
  DEFAULT_RUNNER_LIMITS,
  DEFAULT_SLEEP_AFTER_MS,
  MAX_MODULE_BYTES,
} from "./limits.ts";
import { FRAME } from "./protocol/frame-table.ts";

const OUTER_LAYERS: readonly (OuterLayer | "none")[] = ["bubblewrap", "landlock", "none"];

/** Options of {@link createSandbox}. */
export interface SandboxOptions {
  /** Runners kept warm. Default 2; 0 = boot on demand. */
  readonly poolSize?: number;
  /** Processes at once, warm ones included. Default 64. */
  readonly maxRunners?: number;
  /** Milliseconds without a call after which a plugin sleeps. Default 60,000; 0 = only when others want its runners. */
  readonly sleepAfterMs?: number;
  /** Refuse runners below this level. Default `strict` on Linux (x64, arm64), `permission` elsewhere. */
  readonly minimumIsolation?: IsolationLevel;
  /**
   * The user that runners become, which takes a host that is root; `host`, a loosening: they stay
   * what the host is. Default: nobody (65534) where the host is root.
   */
  readonly runnerUser?: User | "host";
  /**
   * What stands around the runners besides the filter. Default: bubblewrap, else Landlock, else
   * nothing, whichever works here first. One that is named must work; `none`, a loosening: nothing.
   */
  readonly outerLayer?: OuterLayer | "none";
}

/** What a sandbox takes from its surroundings. */
export interface SandboxDeps {
  /** Path of the program that a runner's process runs. Default: the runner of this package. */
  readonly runnerProgram?: string;
  /** Decides when plugins sleep and whose turn it is. Default: the system's. */
  readonly clock?: Clock;
}

/** What a sandbox is doing now. */
export interface SandboxStatus {
  /** Whether it can start runners: `false` once it is closed, or what starts them has ended. */
  readonly ready: boolean;
  /** The level that this sandbox's runners have proven. */
  readonly isolation: IsolationLevel;
  readonly minimumIsolation: IsolationLevel;
  /** What holds the runners, outermost first, each proven by itself. */
  readonly layers: readonly IsolationLayer[];
  /** Why an outer layer is not among them. */
  readonly absentLayers: Readonly<Partial<Record<OuterLayer, string>>>;
  /** How long the lock-down of the process that booted last took, milliseconds. */
  readonly lockDownMs: number;
  /** Processes: waiting for a plugin, and in all. */
  readonly runners: { readonly warm: number; readonly live: number };
}

/** For whom a runner is reserved. */
export interface ReserveRequest {
  readonly pluginId: PluginId;
  /** Limits that differ from the defaults. */
  readonly limits?: Partial<RunnerLimits>;
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
  /** Names of the functions that can be called; none of a registered plugin that has not run yet. */
  readonly functions: readonly string[];
  /**
   * Runs one call; never rejects. The input must not change until it has settled; the output is
   * memory of its own. Aborting the scope's signal ends the call, and its process if it runs.
   */
  call(scope: CallScope, functionName: string, input: Uint8Array): Promise<CallOutcome>;
  status(): PluginStatus;
  /**
   * Gives its processes back once their calls have settled, and keeps its modules outside memory;
   * the next call wakes it. Resolves when it sleeps.
   */
  sleep(): Promise<void>;
  /** Takes no new calls; resolves when the others have settled and the processes are gone. */
  drain(): Promise<void>;
  /** Ends the processes now; running calls fail with `SANDBOX_ABORTED`. */
  kill(reason: string): Promise<void>;
}

/** What a plugin is doing now. */
export interface PluginStatus {
  /** `sleeping`: it has no process. */
  readonly state: "ready" | "sleeping";
  readonly runners: number;
  /** Calls that wait or run. */
  readonly pending: number;
  readonly pids: readonly number[];
}

/** Processes for plugins. */
export interface Sandbox extends AsyncDisposable {
  status(): SandboxStatus;
  /** Takes a process from the pool and gives it the plugin's limits. */
  reserve(request: ReserveRequest): Promise<Decision<ReservedRunner>>;
  /**
   * Takes in a plugin that sleeps until its first call, which is refused if it cannot be started:
   * for modules that a reserved runner has validated before. Costs no process.
   */
  register(request: ReserveRequest & PluginSpec): Promise<Decision<SandboxedPlugin>>;
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
  const {
    poolSize = DEFAULT_POOL_SIZE,
    maxRunners = DEFAULT_MAX_RUNNERS,
    sleepAfterMs = DEFAULT_SLEEP_AFTER_MS,
    minimumIsolation = DEFAULT_MINIMUM_ISOLATION,
  } = options;
  const { clock = systemClock } = deps;
  requireWhole("poolSize", poolSize, 0);
  requireWhole("maxRunners", maxRunners, 1);
  requireWhole("sleepAfterMs", sleepAfterMs, 0);
  if (!ISOLATION_LEVELS.includes(minimumIsolation)) {
    throw new SandboxError("SANDBOX_OPTIONS", {
      message: `minimumIsolation must be one of ${ISOLATION_LEVELS.join(", ")}`,
    });
  }
  if (options.outerLayer !== undefined && !OUTER_LAYERS.includes(options.outerLayer)) {
    throw new SandboxError("SANDBOX_OPTIONS", {
      message: `outerLayer must be one of ${OUTER_LAYERS.join(", ")}`,
    });
  }
  const launch: Launch = {
    ...(deps.runnerProgram === undefined ? {} : { program: deps.runnerProgram }),
    ...(options.runnerUser === undefined ? {} : { user: options.runnerUser }),
  };
  const launcher = await openLauncher(launch, options.outerLayer);
  const canary = runCanary(launcher);
  let lockDownMs = 0;
  const pool = new RunnerPool({
    size: poolSize,
    maxRunners,
    minimumIsolation,
    clock,
    async boot() {
      const booted = await bootProven(launcher, canary, options.outerLayer);
      lockDownMs = booted.lockDownMs;
      return booted;
    },
  });
  const store = new ModuleStore();
  const registry = new PluginRegistry(sleepAfterMs, clock);
  let closing: Promise<void> | undefined;
  const closeAll = async (): Promise<void> => {
    registry.close();
    await Promise.allSettled([pool.close(), canary]);
    await store.close();
    await launcher.close();
  };
  const close = (): Promise<void> => (closing ??= closeAll());
  let isolation: IsolationLevel;
  let layers: readonly IsolationLayer[];
  let absentLayers = launcher.absent;
  try {
    const [proof] = await Promise.all([canary, pool.fill()]);
    isolation = levelOf(proof);
    const { layer } = launcher;
    layers = layersOf(proof, layer);
    if (layer !== undefined && !layers.includes(layer))
      absentLayers = { ...absentLayers, [layer]: "a canary was not refused what it must be" };
    const problem =
      belowMinimum(proof, minimumIsolation) ?? withoutLayer(proof, options.outerLayer);
    if (problem !== undefined) throw problem;
  } catch (error) {
    await close();
    throw error;
  }
  return {
    status: () => ({
      ready: closing === undefined && launcher.isAlive,
      isolation,
      minimumIsolation,
      layers,
      absentLayers,
      lockDownMs,
      runners: { warm: pool.warm, live: pool.live },
    }),
    async reserve(request) {
      const limits: RunnerLimits = { ...DEFAULT_RUNNER_LIMITS, ...request.limits };
      const problem = problemOfLimits(limits);
      if (problem !== undefined) return refuse("SANDBOX_OPTIONS", "sandbox.limits", problem);
      const group = { maxRunners: 1 };
      try {
        const leased = await pool.take({ group, tenant: undefined });
        const plan = { pluginId: request.pluginId, limits, group, pool, store };
        return allow("sandbox.pool", reservedRunner(leased, plan, registry));
      } catch (error) {
        return refusalOf(error, "sandbox.pool");
      }
    },
    async register({ pluginId, limits: given, ...spec }) {
      const limits: RunnerLimits = { ...DEFAULT_RUNNER_LIMITS, ...given };
      const problem = problemOfLimits(limits) ?? problemOfModules(spec.modules);
      if (problem !== undefined) return refuse("SANDBOX_OPTIONS", "sandbox.limits", problem);
      if (closing !== undefined)
        return refusalOf(new SandboxError("SANDBOX_CLOSED"), "sandbox.pool");
      const plan = { pluginId, limits, group: { maxRunners: 1 }, pool, store };
      const generation = new PluginGeneration(generationSpec(plan, spec), spec.modules);
      await generation.sleep();
      return allow("sandbox.register", pluginOf(generation, registry));
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function requireWhole(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new SandboxError("SANDBOX_OPTIONS", {
    message: `${name} must be a whole number from ${least}, received ${value}`,
  });
}

function reservedRunner(
  leased: LeasedRunner,
  plan: PluginPlan,
  registry: PluginRegistry,
): ReservedRunner {
  const { runner } = leased;
  const { limits } = plan;
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
        const problem = problemOfModules(spec.modules);
        if (problem !== undefined) throw new SandboxError("SANDBOX_OPTIONS", { message: problem });
        const generation = new PluginGeneration(generationSpec(plan, spec), spec.modules);
        await generation.start(
          leased,
          spec.modules.map(({ bytes }) => places.get(bytes)),
        );
        return allow("sandbox.start", pluginOf(generation, registry));
      } catch (error) {
        await end();
        return refusalOf(error, "sandbox.start");
      }
    },
    [Symbol.asyncDispose]: () => (started ? Promise.resolve() : end()),
  };
}

function pluginOf(generation: PluginGeneration, registry: PluginRegistry): SandboxedPlugin {
  registry.add(generation);
  const leave = async (end: Promise<void>): Promise<void> => {
    await end;
    registry.remove(generation);
  };
  return {
    get functions() {
      return generation.functions;
    },
    call: (scope, functionName, input) => generation.call(scope, functionName, input),
    status: () => generation.status,
    sleep: () => generation.sleep(),
    drain: () => leave(generation.drain()),
    kill: (reason) =>
      leave(generation.kill(new SandboxError("SANDBOX_ABORTED", { message: reason }))),
    [Symbol.asyncDispose]: () => leave(generation.drain()),
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
