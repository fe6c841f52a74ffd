/**
 * @module The only place where modules are constructed and joined: what each needs of the others is
 * passed here, and the compiler checks the fit. In the order of need: log, events, broker, limiter,
 * sandbox; then what stands on them.
 */
import { type Auditor, type FloodReport, openAuditor } from "@glovebox/auditor";
import { type Broker, createBroker, type HostPolicy } from "@glovebox/capability-broker";
import { type Clock, systemClock } from "@glovebox/core/clock";
import { refuse, type Refusal } from "@glovebox/core/decision";
import type { DecisionLog } from "@glovebox/core/ports";
import {
  createBudgets,
  createCpuRate,
  createLimiter,
  type Limiter,
  type LimiterOptions,
} from "@glovebox/limiter";
import { createMonitor, type Monitor } from "@glovebox/monitor";
import { createSandbox, type Sandbox, type SandboxOptions } from "@glovebox/sandbox";
import { createVerifier } from "@glovebox/signer";
import { createWasmValidator, type WasmPolicy } from "@glovebox/wasm-validator";

import { createApprovalDesk } from "./approval/approval-desk.ts";
import type { CallParts } from "./call/execute.ts";
import { createInstructionBudgets, type InstructionBudgets } from "./call/instruction-budgets.ts";
import { createVariables } from "./call/variables.ts";
import { ClosingStack } from "./closing-stack.ts";
import { SILENT_LOGGER } from "./deps.ts";
import { createEvents, createNullLog, type Events } from "./events/fan-out.ts";
import {
  FLOOD_THROTTLE_LEVEL,
  FLOOD_THROTTLE_MS,
  MAX_INSTRUCTIONS_PER_MS,
  MIN_INSTRUCTIONS_PER_MS,
} from "./limits.ts";
import { type LoadParts, reloadPlugin } from "./load/load-plugin.ts";
import { createModuleCheck } from "./load/modules.ts";
import type { ParsedConfig } from "./options.ts";
import { createRegistry } from "./plugin/registry.ts";
import { createObserver } from "./response/observer.ts";
import { createResponses, type Responses } from "./response/quarantine.ts";
import { createTrapDesk } from "./response/trap-desk.ts";
import { createModuleCrew } from "./wasm/module-crew.ts";

/** The joined modules. */
export interface Wiring {
  readonly load: LoadParts;
  readonly call: CallParts;
  readonly responses: Responses;
  readonly events: Events;
  readonly monitor: Monitor;
  readonly broker: Broker;
  readonly limiter: Limiter;
  readonly instructions: InstructionBudgets;
  readonly sandbox: Sandbox;
  readonly clock: Clock;
  /** Ends every process; once is enough. */
  closeSandbox(): Promise<void>;
  /** Absent where auditing is off or the log is the application's. */
  readonly auditor: Auditor | undefined;
  /** Takes no load and no call from now on, for the reason given. */
  stop(reason: string): void;
  readonly stopped: () => Refusal | undefined;
  /** Resolves when nothing goes on in the background any more. */
  idle(): Promise<void>;
  /** Closes all modules, the log last. */
  close(): Promise<void>;
}

/**
 * Constructs everything.
 *
 * @throws what a module throws for an option that it refuses, and for a log or a process that cannot
 * be opened; what was opened before is closed then.
 */
export async function wire(config: ParsedConfig): Promise<Wiring> {
  await using undo = new ClosingStack();
  const { security, validation, resources, audit, deps } = config;
  const { clock = systemClock, logger = SILENT_LOGGER } = deps;
  const durability = audit.auditDurability;

  const monitor = undo.use(createMonitor({ maxPlugins: monitored(config) }, { clock }));
  /** A plugin can flood the log only once there is one. */
  let onFlood: (report: FloodReport) => void = () => undefined;
  const { log, auditor } = await openLog(config, clock, (report) => onFlood(report));
  if (auditor !== undefined) undo.use(auditor);
  const events = createEvents({ log, durability, sink: monitor, logger, clock });
  const broker = createBroker(
    {
      policy: policyOf(config),
      log: events,
      checksEnabled: security.enableCapabilityChecks,
      auditDurability: durability,
    },
    { clock, ...deps.broker },
  );
  undo.defer(() => broker.close());
  const limiter = undo.use(createLimiter(limiterOptions(resources), { clock }));
  const instructions = createInstructionBudgets(
    createBudgets(resources.instructionBudgets, { clock }),
    createCpuRate({ minPerMs: MIN_INSTRUCTIONS_PER_MS, maxPerMs: MAX_INSTRUCTIONS_PER_MS }),
  );
  const sandbox = await createSandbox(sandboxOptions(config));
  let sandboxClosing: Promise<void> | undefined;
  const closeSandbox = (): Promise<void> => (sandboxClosing ??= sandbox.close());
  undo.defer(closeSandbox);

  const policy = modulePolicy(config);
  // The threads make their own; here it only refuses what a load would be too late for.
  if (policy !== undefined) createWasmValidator(policy);
  const crew = undo.use(createModuleCrew({ policy }, { clock }));

  const registry = createRegistry(resources.maxConcurrentPlugins);
  const pending = new Set<Promise<void>>();
  const background = (work: Promise<void>): void => {
    const tracked = work.catch((error: unknown) =>
      logger.error({ error: String(error) }, "work in the background failed"),
    );
    pending.add(tracked);
    void tracked.then(() => pending.delete(tracked));
  };
  let stop: Refusal | undefined;
  const stopped = (): Refusal | undefined => stop;
  const load: LoadParts = {
    config,
    registry,
    verifier: createVerifier({
      mode: validation.requireSignatures ? "required" : "off",
      trustedKeys: config.trustedKeys,
    }),
    broker,
    approvals: createApprovalDesk({
      store: config.approvals,
      privateCidrs: config.policy.network?.privateCidrs,
      broker,
      events,
      clock,
    }),
    modules: createModuleCheck(crew),
    sandbox,
    variables: createVariables(),
    events,
    logger,
    clock,
    stopped,
    background,
  };
  const responses = createResponses({
    registry,
    broker,
    limiter,
    events,
    logger,
    clock,
    release(plugin) {
      background(reloadPlugin(load, plugin).then(() => undefined));
    },
  });
  onFlood = ({ pluginId, reason }) => responses.throttle(pluginId, { ...FLOOD_THROTTLE, reason });
  const observer = createObserver(monitor, responses, events, clock);
  const { modules } = load;
  const traps = createTrapDesk({ modules, logger, stopped });
  const opened = undo.move();
  return {
    load,
    call: { registry, limiter, instructions, events, observer, traps, durability, stopped },
    responses,
    events,
    monitor,
    broker,
    limiter,
    instructions,
    sandbox,
    closeSandbox,
    clock,
    auditor,
    stop(reason) {
      stop ??= refuse("RUNTIME_SHUT_DOWN", "runtime.shut-down", reason);
    },
    stopped,
    async idle() {
      while (pending.size > 0) await Promise.all(pending);
    },
    close: () => opened.close(),
  };
}

async function openLog(
  { security, audit, deps }: ParsedConfig,
  clock: Clock,
  onFlood: (report: FloodReport) => void,
): Promise<{ readonly log: DecisionLog; readonly auditor: Auditor | undefined }> {
  if (!security.enableAuditLogging) return { log: createNullLog(), auditor: undefined };
  if (deps.decisionLog !== undefined) return { log: deps.decisionLog, auditor: undefined };
  const { directory = "", auditDurability: durability, wrappingKey, sinks, ...theirs } = audit;
  let auditor: Auditor | undefined;
  try {
    auditor = await openAuditor(
      { ...theirs, directory, durability },
      { clock, onFlood, ...(wrappingKey === undefined ? {} : { wrappingKey }) },
    );
    for (const sink of sinks) await auditor.forward(sink);
    return { log: auditor, auditor };
  } catch (error) {
    await auditor?.close();
    for (const sink of sinks) await sink[Symbol.asyncDispose]();
    throw error;
  }
}

/** What is done with a plugin that is over its budget of events, until the flood has passed. */
const FLOOD_THROTTLE = { level: FLOOD_THROTTLE_LEVEL, durationMs: FLOOD_THROTTLE_MS } as const;

/** Absent where a named loosening leaves modules to the engine alone. */
function modulePolicy({ security, validation }: ParsedConfig): WasmPolicy | undefined {
  if (!security.enableWasmValidation) return undefined;
  return {
    maxModuleBytes: security.maxPluginSizeBytes,
    allowedImportPatterns: validation.allowedImportPatterns,
  };
}

/** Without maxima of its own, a policy allows nobody more than the defaults. */
function policyOf({ policy, resources }: ParsedConfig): HostPolicy {
  const { defaultMemoryLimitBytes, defaultCpuLimitMs, defaultInstructionLimit } = resources;
  return {
    ...policy,
    resources: {
      maxMemoryBytes: defaultMemoryLimitBytes,
      maxCpuTimeMs: defaultCpuLimitMs,
      maxInstructions: defaultInstructionLimit,
      ...policy.resources,
    },
  };
}

/** The limiter's name for each of the options, where it has the default. */
const LIMITER_OPTIONS = {
  maxConcurrentCalls: "maxConcurrent",
  maxConcurrentCallsPerPlugin: "maxConcurrentPerPlugin",
  maxQueuedCalls: "maxQueued",
  maxQueuedCallsPerPlugin: "maxQueuedPerPlugin",
  maxQueueWaitMs: "maxQueueWaitMs",
  callsPerSecond: "ratePerSecond",
  callBurst: "burst",
  tenantCallsPerSecond: "tenantRatePerSecond",
  tenantCallBurst: "tenantBurst",
} as const satisfies Partial<Record<keyof ParsedConfig["resources"], keyof LimiterOptions>>;

function limiterOptions(resources: ParsedConfig["resources"]): LimiterOptions {
  const names = Object.entries(LIMITER_OPTIONS) as [keyof typeof LIMITER_OPTIONS, string][];
  return Object.fromEntries(
    names.flatMap(([ours, theirs]) =>
      resources[ours] === undefined ? [] : [[theirs, resources[ours]]],
    ),
  );
}

function sandboxOptions({ security, resources }: ParsedConfig): SandboxOptions {
  const { minimumIsolation, runnerUser, outerLayer } = security;
  const { maxRunners, sleepAfterMs } = resources;
  return {
    minimumIsolation,
    ...(runnerUser === undefined ? {} : { runnerUser }),
    ...(outerLayer === undefined ? {} : { outerLayer }),
    ...(maxRunners === undefined ? {} : { maxRunners }),
    ...(sleepAfterMs === undefined ? {} : { sleepAfterMs }),
  };
}

/** The monitor must not forget a plugin that is loaded. */
function monitored({ resources }: ParsedConfig): number {
  return Math.max(resources.maxConcurrentPlugins, 1);
}
