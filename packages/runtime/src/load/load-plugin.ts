/**
 * @module Loading a plugin, the cheapest refusal first: read → manifest → a place among the plugins →
 * dependencies → signature → approval → grant → modules → engine → process. Each step is audited before the
 * next begins; the first that refuses ends the load with its code, and with it the process that was
 * reserved. From the first step on only the bytes that were read there exist (package-toctou).
 */
import type { Broker, GrantSet } from "@glovebox/capability-broker";
import type { Clock } from "@glovebox/core/clock";
import { allow, type Decision, failClosed, failClosedAsync, refuse } from "@glovebox/core/decision";
import type { PluginId } from "@glovebox/core/ids";
import type { JsonValue } from "@glovebox/core/json";
import { parseManifest, type PluginManifest } from "@glovebox/manifest-validator";
import type { Sandbox } from "@glovebox/sandbox";
import type { Verifier } from "@glovebox/signer";

import type { ApprovalDesk } from "../approval/approval-desk.ts";
import { createHostServices } from "../call/host-services.ts";
import type { Variables } from "../call/variables.ts";
import type { Logger } from "../deps.ts";
import type { Events } from "../events/fan-out.ts";
import { EVENT } from "../events/kinds.ts";
import { MAX_RECORDED_CHANGES } from "../limits.ts";
import type { ParsedConfig } from "../options.ts";
import { copyPackage, type PluginPackage } from "../package/plugin-package.ts";
import { readPackage } from "../package/read-package.ts";
import { drainGeneration, killGeneration } from "../plugin/end-generation.ts";
import { compileSchemas } from "../plugin/function-schemas.ts";
import type { CallLimits, Generation, Plugin } from "../plugin/plugin.ts";
import { busy, type Registry } from "../plugin/registry.ts";
import { asksForMore } from "./asks-for-more.ts";
import { checkDependencies } from "./dependencies.ts";
import type { ModuleCheck } from "./modules.ts";
import { publisherName } from "./publisher-name.ts";

const MANIFEST_FILE = "plugin.yaml";

/** What a plugin is loaded from: a path, or bytes that are copied. */
export type PluginSource = string | Pick<PluginPackage, "files">;

/** What loading passes through. */
export interface LoadParts {
  readonly config: ParsedConfig;
  readonly registry: Registry;
  readonly verifier: Verifier;
  readonly broker: Broker;
  readonly approvals: ApprovalDesk;
  readonly modules: ModuleCheck;
  readonly sandbox: Sandbox;
  readonly variables: Variables;
  readonly events: Events;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Why nothing is loaded any more; `undefined` while the host is open. */
  stopped(): Decision<never> | undefined;
  /** Work that goes on after its answer, for `close` to wait for. */
  background(work: Promise<void>): void;
}

/** Loads a plugin, or replaces the one of its id by this version. */
export async function loadPlugin(
  parts: LoadParts,
  source: PluginSource,
): Promise<Decision<Plugin>> {
  const { registry, broker, config } = parts;
  const limits = { maxBytes: config.security.maxPluginSizeBytes };
  const read = await failClosedAsync("package.read", async () =>
    typeof source === "string" ? readPackage(source, limits) : copyPackage(source.files, limits),
  );
  const kept = await step(parts, undefined, EVENT.load, read);
  if (!kept.allowed) return kept;
  const manifest = await step(parts, undefined, EVENT.validate, readManifest(kept.value, config));
  if (!manifest.allowed) return manifest;
  const { id, version } = manifest.value.manifest;
  const running = registry.get(id)?.generation;
  // With its grant a version has lost what it was loaded for: the same may take its place.
  const isOver = running !== undefined && !broker.grants(id).includes(running.grant);
  const place = parts.stopped() ?? registry.beginLoad(id, version, isOver);
  const begun = await step(parts, id, EVENT.load, place, { version });
  if (!begun.allowed) {
    if (place.allowed) registry.done(place.value);
    return begun;
  }
  try {
    return await bringUp(parts, begun.value, kept.value, manifest.value);
  } finally {
    registry.done(begun.value);
  }
}

/** Starts a plugin again from the bytes that it was loaded from, through every check. */
export async function reloadPlugin(parts: LoadParts, plugin: Plugin): Promise<Decision<Plugin>> {
  const { generation } = plugin;
  if (plugin.isBusy || generation === undefined) return busy(plugin.id);
  const stopped = parts.stopped();
  if (stopped !== undefined) return stopped;
  if (!plugin.advance("release")) {
    return refuse("RUNTIME_USAGE", "plugins.release", `${plugin.id} is ${plugin.state}`);
  }
  plugin.isBusy = true;
  try {
    const manifest = await step(
      parts,
      plugin.id,
      EVENT.validate,
      readManifest(generation.source, parts.config),
    );
    const decision = manifest.allowed
      ? await bringUp(parts, plugin, generation.source, manifest.value)
      : manifest;
    if (!decision.allowed) plugin.advance("failed", `${decision.code}: ${decision.reason}`);
    return decision;
  } finally {
    parts.registry.done(plugin);
  }
}

interface ReadManifest {
  readonly manifest: PluginManifest;
  readonly warnings: readonly string[];
}

function readManifest(source: PluginPackage, config: ParsedConfig): Decision<ReadManifest> {
  const bytes = source.files.get(MANIFEST_FILE);
  if (bytes === undefined) {
    const reason = `the package has no ${MANIFEST_FILE} at its top`;
    return refuse("RUNTIME_PACKAGE_FILE_MISSING", "package.manifest", reason);
  }
  const strict = config.validation.strictManifestValidation;
  const result = parseManifest(bytes, { strict });
  if (result.ok) {
    const warnings = result.warnings.map(({ message }) => message);
    return allow("manifest", { manifest: result.manifest, warnings });
  }
  const [first] = result.problems;
  const messages = result.problems.map(({ message }) => message).join("; ");
  return refuse(first?.code ?? "MANIFEST_CHECK_FAILED", "manifest", messages);
}

/** From a parsed manifest to a plugin that takes calls. */
async function bringUp(
  parts: LoadParts,
  plugin: Plugin,
  source: PluginPackage,
  { manifest, warnings }: ReadManifest,
): Promise<Decision<Plugin>> {
  const { broker, events, clock, config, logger } = parts;
  const more = asksForMore(config, plugin, manifest);
  const noted = [...warnings, ...more.map((line) => `asks for more: ${line}`)];
  const built = await failClosedAsync("load", () => build(parts, source, manifest, noted));
  if (!built.allowed) return built;
  const generation = built.value;
  const { version } = manifest;
  if (more.length > 0) {
    logger.warn({ plugin: plugin.id, version, more }, "a plugin asks for more than before");
  }
  const details = {
    version,
    runner: generation.sandboxed.status().pids[0] ?? null,
    ...(more.length === 0 ? {} : { asksForMore: more.slice(0, MAX_RECORDED_CHANGES) }),
  };
  const stepped = await step(parts, plugin.id, EVENT.load, mayServe(parts, plugin), details);
  // A plugin takes calls only once its load is on disk.
  const recorded = stepped.allowed ? ((await events.lastSettled()) ?? stepped) : stepped;
  // Once more: the host or the plugin may have been stopped while the event was written.
  const decided = recorded.allowed ? mayServe(parts, plugin) : recorded;
  if (!decided.allowed) {
    await killGeneration(generation, broker, decided.reason);
    return decided;
  }
  if (plugin.state === "failed") plugin.advance("release");
  plugin.advance("loaded");
  const previous = plugin.adopt(generation);
  // One that was killed needs no end; a revoked grant is none.
  if (previous !== undefined && !previous.controller.signal.aborted) {
    parts.background(drainGeneration(previous, broker, clock));
    const replaced = { version: previous.manifest.version };
    events.tell({ pluginId: plugin.id }, { kind: EVENT.unload, success: true, details: replaced });
  }
  return allow("load", plugin);
}

/** Whether the plugin may take calls, as far as the host and the plugin's own state go. */
function mayServe(parts: LoadParts, plugin: Plugin): Decision<void> {
  const stopped = parts.stopped();
  if (stopped !== undefined) return stopped;
  if (plugin.state !== "quarantined") return allow("load", undefined);
  const reason = `${plugin.id} was quarantined while its new version was loaded`;
  return refuse("RUNTIME_QUARANTINED", "plugins.quarantine", reason);
}

async function build(
  parts: LoadParts,
  source: PluginPackage,
  manifest: PluginManifest,
  warnings: readonly string[],
): Promise<Decision<Generation>> {
  const { registry, verifier, broker, approvals } = parts;
  const { id, version } = manifest;
  const dependencies = checkDependencies(manifest, registry.all());
  const resolved = await step(parts, id, EVENT.validate, dependencies);
  if (!resolved.allowed) return resolved;
  const schemas = compileSchemas(manifest.functions);
  if (!schemas.allowed) return step(parts, id, EVENT.validate, schemas);

  const signed = verifier.verify({ ...source, pluginId: id, version });
  const publisher = await step(parts, id, EVENT.verify, signed, publisherDetails(signed));
  if (!publisher.allowed) return publisher;

  const { capabilities: request } = manifest;
  const subject = { pluginId: id, publisher: publisherName(publisher.value, source), request };
  const asking = { subject, version, source };
  // Desk and broker record their own decisions; nothing can be revoked between the two.
  const approved = approvals.check(asking);
  if (!approved.allowed) return approved;
  const approval = approved.value;
  const granted = failClosed("grant", () =>
    broker.grant(id, request, approval === undefined ? {} : { approval }),
  );
  if (!granted.allowed) return granted;
  const started = await start(parts, source, manifest, granted.value);
  if (!started.allowed) {
    broker.revoke(granted.value.id);
    return started;
  }
  return allow("load", {
    manifest,
    source,
    grant: granted.value,
    schemas: schemas.value,
    ...started.value,
    asking,
    ...(publisher.value === undefined ? {} : { publisher: publisher.value.identity }),
    warnings: [...warnings, ...granted.value.withheld, ...started.value.warnings],
    controller: new AbortController(),
  });
}

/** The steps that need a process. Leaving this function ends it unless the plugin was started in it. */
async function start(
  parts: LoadParts,
  source: PluginPackage,
  manifest: PluginManifest,
  grant: GrantSet,
): Promise<Decision<Pick<Generation, "sandboxed" | "limits" | "warnings">>> {
  const { sandbox, broker, modules, config, variables, events, logger } = parts;
  const { id } = manifest;
  const limits = limitsOf(grant, config);
  await using engine = modules.openEngine(() => sandbox.reserve({ pluginId: id, limits }));
  const checked = await modules.check(source, manifest, engine, limits);
  const accepted = await step(parts, id, EVENT.validate, checked, {
    checked: config.security.enableWasmValidation,
  });
  if (!accepted.allowed) return accepted;
  const reserved = await engine.runner();
  if (!reserved.allowed) return step(parts, id, EVENT.load, reserved);
  const services = createHostServices({
    broker,
    grant,
    variables,
    functions: config.hostFunctions,
    config: new Map(Object.entries(config.pluginConfig.get(id) ?? {})),
    events,
    logger,
  });
  const { abi, list, warnings } = accepted.value;
  const started = await reserved.value.start({
    abi,
    modules: list,
    instance: manifest.instance,
    services,
    shareRunners: config.shareRunners,
  });
  if (!started.allowed) return step(parts, id, EVENT.load, started);
  return allow("load", { sandboxed: started.value, limits, warnings });
}

function limitsOf({ resources }: GrantSet, { resources: presets }: ParsedConfig): CallLimits {
  return {
    memoryBytes: resources.maxMemoryBytes ?? presets.defaultMemoryLimitBytes,
    cpuMs: resources.maxCpuTimeMs ?? presets.defaultCpuLimitMs,
    instructions: resources.maxInstructions ?? presets.defaultInstructionLimit,
    wallMs: presets.defaultWallLimitMs,
    inputBytes: presets.maxInputBytes,
    outputBytes: presets.maxOutputBytes,
  };
}

function publisherDetails(
  decision: ReturnType<Verifier["verify"]>,
): Readonly<Record<string, JsonValue>> {
  if (!decision.allowed || decision.value === undefined) return {};
  const { identity, keyId, digest } = decision.value;
  return { publisher: identity, keyId, digest };
}

/** Records a step's decision; the step stands only if the log took it. */
async function step<T>(
  { events }: Pick<LoadParts, "events">,
  pluginId: PluginId | undefined,
  kind: string,
  decision: Decision<T>,
  details: Readonly<Record<string, JsonValue>> = {},
): Promise<Decision<T>> {
  const { allowed, rule } = decision;
  const recorded = await events.recordBefore(pluginId === undefined ? {} : { pluginId }, {
    kind,
    success: allowed,
    rule,
    ...(decision.allowed ? {} : { code: decision.code, error: decision.reason }),
    details,
  });
  return recorded.allowed || !allowed ? decision : recorded;
}
