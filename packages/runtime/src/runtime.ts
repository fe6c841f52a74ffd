/**
 * @module The whole system behind one object; this file is its table of contents. Loading is in
 * load/load-plugin.ts, a call in call/execute.ts, what is done about trouble in response/, and what
 * consists of what in wiring.ts.
 */
import type { Auditor } from "@glovebox/auditor";
import type { Decision } from "@glovebox/core/decision";
import type { GrantId, PluginId, TenantId } from "@glovebox/core/ids";
import type { JsonValue } from "@glovebox/core/json";
import type { CallOutcome, CodedError } from "@glovebox/core/ports";
import type { BudgetLevel, BudgetUse } from "@glovebox/limiter";
import type { AlertSink, PluginHealth } from "@glovebox/monitor";

import type { ApprovalOrder, ApprovalOverview } from "./approval/approval-desk.ts";
import type { CallContext, CallOptions } from "./call/context.ts";
import { executeCall } from "./call/execute.ts";
import { parseConfig } from "./config.ts";
import { SILENT_LOGGER } from "./deps.ts";
import { RuntimeError } from "./errors.ts";
import { EVENT } from "./events/kinds.ts";
import { MAX_REASON_CHARACTERS } from "./limits.ts";
import { loadPlugin, type PluginSource, reloadPlugin } from "./load/load-plugin.ts";
import type { ParsedConfig, RuntimeConfig } from "./options.ts";
import { drainGeneration, killGeneration } from "./plugin/end-generation.ts";
import { describePlugin, type PluginInfo } from "./plugin/plugin-info.ts";
import type { Plugin } from "./plugin/plugin.ts";
import { errorOf } from "./public-message.ts";
import { type RuntimeStatus, statusOf } from "./status.ts";
import { wire, type Wiring } from "./wiring.ts";

/** What became of a load: the plugin, or one coded error. */
export type LoadResult =
  | { readonly ok: true; readonly plugin: PluginInfo }
  | { readonly ok: false; readonly error: CodedError };

/**
 * Loads plugins and calls them, each in a process of its own.
 *
 * @example
 * ```ts
 * await using runtime = await PluginRuntime.open({ audit: { directory }, trust: { trustedKeys } });
 * const loaded = await runtime.load("./plugins/rate-table");
 * const outcome = await runtime.executePluginFunction("rate-table", "query_datasource", {}, { query });
 * ```
 */
export class PluginRuntime implements AsyncDisposable {
  readonly #config: ParsedConfig;
  readonly #wiring: Wiring;
  #closing: Promise<void> | undefined;

  private constructor(config: ParsedConfig, wiring: Wiring) {
    this.#config = config;
    this.#wiring = wiring;
  }

  /**
   * Opens a runtime: the options are checked, the audit log is opened, processes are booted and have
   * shown their isolation. Every loosening is warned of and recorded.
   *
   * @throws {@link RuntimeError} (`RUNTIME_OPTIONS`), and the coded errors of the modules for what
   * they refuse of their options, such as `BROKER_POLICY`, `SANDBOX_ISOLATION`, `AUDITOR_LOCKED`.
   */
  static async open(config: RuntimeConfig = {}): Promise<PluginRuntime> {
    const parsed = parseConfig(config);
    const wiring = await wire(parsed);
    const runtime = new PluginRuntime(parsed, wiring);
    try {
      await runtime.#announce();
    } catch (error) {
      await wiring.close();
      throw error;
    }
    return runtime;
  }

  /**
   * Loads a plugin from a directory or a `.tgz`, or from bytes, which are copied. Another version of
   * a loaded plugin takes its place: new calls go to it, running ones finish.
   *
   * @throws {@link RuntimeError} (`RUNTIME_USAGE`) on misuse only
   */
  async load(source: PluginSource): Promise<LoadResult> {
    if (typeof source !== "string" && !(source?.files instanceof Map)) {
      throw new RuntimeError("RUNTIME_USAGE", { message: "load takes a path or { files }" });
    }
    return this.#loadResult(await loadPlugin(this.#wiring.load, source));
  }

  /** Takes a plugin away: no new calls, running ones finish. `false` when there is none to unload. */
  async unload(pluginId: string): Promise<boolean> {
    const { load, responses, monitor, events, broker, limiter, clock } = this.#wiring;
    const plugin = load.registry.get(pluginId);
    if (plugin === undefined || plugin.isBusy) return false;
    const { id, generation, state } = plugin;
    load.registry.beginUnload(plugin);
    responses.forget(plugin);
    if (generation !== undefined && state !== "quarantined") {
      await drainGeneration(generation, broker, clock);
    }
    limiter.setThrottle(id, 0);
    monitor.forget(id);
    load.variables.forget(id);
    load.registry.remove(plugin);
    const place = events.tell({ pluginId: id }, { kind: EVENT.unload, success: true });
    if (place !== undefined) await events.settled(place);
    return true;
  }

  /**
   * Calls a function of a plugin. Bytes go in as they are and must not change until the call has
   * ended; a JSON value is written once. The output is memory of its own.
   *
   * @throws {@link RuntimeError} (`RUNTIME_USAGE`) on misuse only; everything else is an outcome
   */
  executePluginFunction(
    pluginId: string,
    functionName: string,
    context: CallContext,
    input: Uint8Array | JsonValue,
    options: CallOptions = {},
  ): Promise<CallOutcome> {
    return executeCall(this.#wiring.call, pluginId, functionName, context, input, options);
  }

  /**
   * What is used, set aside and left of the budgets of instructions that concern a plugin, and a
   * tenant where one is named. A level that has no budget, or was not charged yet, is absent.
   */
  instructionUse(
    pluginId: string,
    tenantId?: string,
  ): Readonly<Partial<Record<BudgetLevel, BudgetUse>>> {
    // Looked up only: an id that is none was never charged.
    const tenant = tenantId === undefined ? {} : { tenantId: tenantId as TenantId };
    return this.#wiring.call.instructions.useOf({ pluginId: pluginId as PluginId, ...tenant });
  }

  /**
   * The audit log: queries, live tail, persons, legal holds, clean-ups. `undefined` where auditing is
   * off or the log is the application's. The runtime closes it.
   */
  get audit(): Omit<Auditor, "close" | typeof Symbol.asyncDispose> | undefined {
    return this.#wiring.auditor;
  }

  /** All plugins. */
  list(): readonly PluginInfo[] {
    const { load, monitor, broker } = this.#wiring;
    return load.registry.all().map((plugin) => describePlugin(plugin, monitor, broker));
  }

  /** The health of one plugin, from its last calls; `undefined` when it is not loaded. */
  health(pluginId: string): PluginHealth | undefined {
    const plugin = this.#wiring.load.registry.get(pluginId);
    return plugin && this.#wiring.monitor.health(plugin.id);
  }

  /** Ends a grant: what is in flight through it is aborted, further uses are refused. */
  async revoke(grantId: string): Promise<boolean> {
    // An id that is none is not found; the broker records a revocation itself.
    const isRevoked = this.#wiring.broker.revoke(grantId as GrantId);
    await this.#wiring.events.lastSettled();
    return isRevoked;
  }

  /** What operators approved, and which loads wait for one. */
  approvals(): ApprovalOverview {
    return this.#wiring.load.approvals.overview();
  }

  /**
   * Approves what a load waits for, and loads it from the bytes that it came with. It is refused when
   * the plugin asks for something else by now than what the operator has read.
   *
   * @throws {@link RuntimeError} (`RUNTIME_USAGE`) on misuse only
   */
  async approve(pluginId: string, order: ApprovalOrder): Promise<LoadResult> {
    assertOperator(order.operator);
    const { load } = this.#wiring;
    const approved = await load.approvals.approve(pluginId, order);
    return this.#loadResult(approved.allowed ? await loadPlugin(load, approved.value) : approved);
  }

  /**
   * Takes an approval back: every grant of the plugin ends at once, with what is in flight. The plugin
   * goes on without them, and waits for an approval. `false`: it has none.
   *
   * @throws {@link RuntimeError} (`RUNTIME_USAGE`) on misuse, and what the store throws
   */
  async revokeApproval(pluginId: string, operator: string): Promise<boolean> {
    assertOperator(operator);
    const { approvals, registry } = this.#wiring.load;
    const running = registry.get(pluginId)?.generation?.asking;
    const isRevoked = await approvals.revoke(pluginId, operator, running);
    await this.#wiring.events.lastSettled();
    return isRevoked;
  }

  /** Stops a plugin until it is released. `false` when there is none that could be stopped. */
  quarantine(pluginId: string, reason: string): Promise<boolean> {
    const order = { reason, rule: "operator", durationMs: null };
    return this.#wiring.responses.quarantine(pluginId, order);
  }

  /** Starts a plugin that is quarantined or failed again, from the bytes it was loaded from. */
  async release(pluginId: string): Promise<LoadResult> {
    const { load, responses, monitor, events } = this.#wiring;
    const plugin = load.registry.get(pluginId);
    if (plugin === undefined) {
      const message = "there is no such plugin";
      return { ok: false, error: new RuntimeError("RUNTIME_PLUGIN_UNKNOWN", { message }) };
    }
    responses.forget(plugin);
    events.tell(
      { pluginId: plugin.id },
      { kind: EVENT.operator, success: true, details: { action: "release" } },
    );
    const result = await this.#loadResult(await reloadPlugin(load, plugin));
    if (result.ok) monitor.lift(plugin.id);
    return result;
  }

  /** Emergency: every plugin is stopped now, and every later load and call is refused. */
  async shutdown(reason: string): Promise<void> {
    const { load, limiter, events, broker } = this.#wiring;
    const why = `the plugin system was shut down: ${reason.slice(0, MAX_REASON_CHARACTERS)}`;
    this.#wiring.stop(why);
    limiter.close();
    const killed = load.registry.all().map(async (plugin) => {
      plugin.advance("quarantine", why);
      if (plugin.generation !== undefined) await killGeneration(plugin.generation, broker, why);
    });
    this.#logger.error({ reason: why }, "plugin system shut down");
    const event = { kind: EVENT.stopped, success: false, error: why };
    const place = events.tell({}, event);
    await Promise.all(killed);
    // Also old versions that were finishing their calls, and whatever was being loaded.
    await this.#wiring.closeSandbox();
    if (place !== undefined) await events.settled(place);
  }

  /** Sends alerts there from now on, until the answer is disposed. */
  onAlert(sink: AlertSink): Disposable {
    return this.#wiring.monitor.onAlert(sink);
  }

  /** What `/readyz` shows. */
  status(): RuntimeStatus {
    return statusOf(this.#config, this.#wiring);
  }

  /** What `/metrics` shows, in the Prometheus text format 0.0.4. */
  metricsText(): string {
    return this.#wiring.monitor.registry.text();
  }

  /** Lets running calls finish, then ends every process and closes the log. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const { load, responses, events, broker, clock } = this.#wiring;
    this.#wiring.stop("the runtime is closed");
    await Promise.all(
      load.registry.all().map(async (plugin) => {
        responses.forget(plugin);
        if (plugin.generation !== undefined) {
          await drainGeneration(plugin.generation, broker, clock);
        }
      }),
    );
    await this.#wiring.idle();
    events.tell({}, { kind: EVENT.stopped, success: true });
    await this.#wiring.close();
  }

  /** The configuration's place in the log, and a warning for each loosening. */
  async #announce(): Promise<void> {
    const { events } = this.#wiring;
    const { loosened } = this.#config;
    for (const option of loosened) {
      this.#logger.warn({ option }, "a security default is loosened");
      events.tell({}, { kind: EVENT.loosening, success: true, details: { option } });
    }
    const { isolation, minimumIsolation, layers, absentLayers } = this.status();
    const started = await events.recordBefore(
      {},
      {
        kind: EVENT.started,
        success: true,
        details: { loosened, isolation, minimumIsolation, layers, absentLayers },
      },
    );
    if (!started.allowed)
      throw new RuntimeError("RUNTIME_NOT_RECORDED", { message: started.reason });
  }

  get #logger() {
    return this.#config.deps.logger ?? SILENT_LOGGER;
  }

  /** The answer to a load, once everything about it is on disk. */
  async #loadResult(decision: Decision<Plugin>): Promise<LoadResult> {
    const { events, monitor, broker } = this.#wiring;
    await events.lastSettled();
    return decision.allowed
      ? { ok: true, plugin: describePlugin(decision.value, monitor, broker) }
      : { ok: false, error: errorOf(decision) };
  }
}

/** Who may stand in the log as `operator:NAME`; a bad name is the programmer's to refuse. */
function assertOperator(name: string): void {
  if (!/^[\x21-\x7e]{1,110}$/.test(name)) {
    const message = "an operator has a name of 1 to 110 ASCII characters without spaces";
    throw new RuntimeError("RUNTIME_USAGE", { message });
  }
}
