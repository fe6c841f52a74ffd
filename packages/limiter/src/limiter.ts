/**
 * @module May this call start? One answer from four limits: throttle level, slots, the plugin's
 * rate and the tenant's rate (upstream: "Resource Exhaustion Prevention"). All of it is decided
 * synchronously against local state; only waiting for a slot is asynchronous.
 *
 * Keys are attacker-influenced: see key-table.ts for how their memory is bounded.
 */
import { type Clock, systemClock } from "@glovebox/core/clock";
import { type Decision, type Refusal, allow, refuse } from "@glovebox/core/decision";
import { type Gcra, createGcra } from "@glovebox/core/flow";
import type { PluginId, TenantId } from "@glovebox/core/ids";

import { Bulkhead } from "./bulkhead.ts";
import { outside } from "./check-option.ts";
import { KeyTable } from "./key-table.ts";
import { Lane } from "./lane.ts";
import { BUSY_RETRY_MS } from "./limits.ts";
import { type LimiterOptions, parseOptions } from "./options.ts";
import type { Permit } from "./permit.ts";
import { type Rate, takeRate } from "./rate-limit.ts";
import { PRIORITIES, type Priority } from "./waiting-line.ts";

/** Who asks to start a call. */
export interface AdmissionRequest {
  readonly pluginId: PluginId;
  /** Named by the host application; counts against the tenant's rate, across plugins. */
  readonly tenantId?: TenantId;
  /** Ends the wait of `admit`. Not read by `tryAdmit`. */
  readonly signal?: AbortSignal;
  /**
   * Who goes first where calls wait; never the plugin's choice. `high` goes before all others, so
   * keep it for operators. Default: `normal`.
   */
  readonly priority?: Priority;
}

/** What a {@link Limiter} holds now. */
export interface LimiterStatus {
  readonly running: number;
  readonly waiting: number;
  readonly plugins: number;
  readonly tenants: number;
  /** Idle keys dropped so far to make room for others. */
  readonly evictedKeys: number;
}

/** What {@link createLimiter} needs from outside. */
export interface LimiterDeps {
  /** Default: the system's clock. */
  readonly clock?: Clock;
}

/** Admits calls, or refuses them with a reason and a time to come back. */
export interface Limiter extends Disposable {
  /** Decides now, without waiting for a slot. */
  tryAdmit(request: AdmissionRequest): Decision<Permit>;
  /**
   * Decides now, but waits for a slot where only slots are short. Always settles: with a permit, or
   * when the wait is too long, the signal aborts, the plugin is stopped, the queue fills
   * up with calls of others or the limiter closes. A call that waited has used its share of the
   * rates, whatever becomes of it.
   */
  admit(request: AdmissionRequest): Promise<Decision<Permit>>;
  /**
   * Sets a plugin's throttle level: 0 full speed, 0.75 a quarter of its slots and rate, 1 stopped,
   * which also refuses its waiting calls. Running calls go on. Refused (`LIMITER_KEYS`) when there
   * is no room for the plugin; its calls are then refused for the same reason.
   *
   * @throws {@link LimiterError} (`LIMITER_OPTION`) for a level outside 0 to 1.
   */
  setThrottle(pluginId: PluginId, level: number): Decision<number>;
  /** The plugin's throttle level, from 0 to 1. */
  throttleOf(pluginId: PluginId): number;
  status(): LimiterStatus;
  /** Refuses waiting and new calls from now on; running calls can still release. */
  close(): void;
}

/**
 * Makes a limiter. With no options: 64 calls at once, 8 of one plugin, 256 waiting for at most 1 s,
 * no rate.
 *
 * @throws {@link LimiterError} (`LIMITER_OPTION`) for an option outside its range.
 *
 * @example
 * ```ts
 * using limiter = createLimiter({ maxConcurrent: 8, ratePerSecond: 50, burst: 10 });
 * const decision = await limiter.admit({ pluginId, signal });
 * if (decision.allowed) {
 *   using permit = decision.value;
 * }
 * ```
 */
export function createLimiter(options: LimiterOptions = {}, deps: LimiterDeps = {}): Limiter {
  const clock = deps.clock ?? systemClock;
  const limits = parseOptions(options);
  const bulkhead = new Bulkhead(limits.bulkhead, clock);
  const plugins = new KeyTable<PluginId, Lane>(limits.maxKeys, () => new Lane(limits.lane, clock));
  const tenants = limits.tenantRate && tenantTable(limits.maxKeys, limits.tenantRate, clock);
  let closed = false;

  // The tenant pays first: one that is over its rate must not use up the plugin's, which is others'.
  const takeRates = (lane: Lane, tenantId: TenantId | undefined): Refusal | undefined => {
    if (tenants !== undefined && tenantId !== undefined) {
      const tenant = tenants.open(tenantId);
      if (tenant === undefined) return TENANTS_FULL;
      const refusal = takeRate("tenant", tenant);
      if (refusal !== undefined) return refusal;
    }
    return takeRate("plugin", lane.meter);
  };

  /** The plugin's lane, or why none of its calls may start or wait. */
  const laneFor = (pluginId: PluginId): Lane | Refusal => {
    if (closed) return CLOSED;
    const lane = plugins.open(pluginId);
    if (lane === undefined) return PLUGINS_FULL;
    return lane.level === 1 ? THROTTLED : lane;
  };

  const tryAdmit = (request: AdmissionRequest): Decision<Permit> => {
    const lane = laneFor(request.pluginId);
    if (!(lane instanceof Lane)) return lane;
    return bulkhead.busy(lane) ?? takeRates(lane, request.tenantId) ?? bulkhead.enter(lane, 0);
  };

  /** Why a call neither starts nor waits, the permit of one that starts, or `undefined`: it waits. */
  const decideNow = (
    request: AdmissionRequest,
    lane: Lane,
    rank: number,
  ): Decision<Permit> | undefined =>
    // The rate comes before room is made: a call over its rate must not push out another's.
    takeRates(lane, request.tenantId) ??
    (bulkhead.busy(lane) === undefined ? bulkhead.enter(lane, 0) : bulkhead.makeRoom(lane, rank));

  const admit = (request: AdmissionRequest): Promise<Decision<Permit>> => {
    const { pluginId, signal, priority = "normal" } = request;
    const rank = PRIORITIES.indexOf(priority);
    if (rank < 0) return Promise.reject(outside("priority", PRIORITIES.join(", "), priority));
    if (signal?.aborted === true) return Promise.resolve(ABORTED);
    const lane = laneFor(pluginId);
    if (!(lane instanceof Lane)) return Promise.resolve(lane);
    const decision = decideNow(request, lane, rank);
    return decision === undefined
      ? bulkhead.wait(lane, rank, signal, ABORTED)
      : Promise.resolve(decision);
  };

  const close = (): void => {
    closed = true;
    bulkhead.refuseWaiting(CLOSED);
  };

  return {
    tryAdmit,
    admit,
    setThrottle(pluginId, level): Decision<number> {
      if (!(level >= 0 && level <= 1)) throw outside("level", "a number from 0 to 1", level);
      const lane = level === 0 ? plugins.get(pluginId) : plugins.open(pluginId);
      if (lane === undefined) return level === 0 ? allow("limiter.throttle", 0) : PLUGINS_FULL;
      lane.throttle(level);
      if (level === 1) bulkhead.refuseWaiting(THROTTLED, [lane]);
      bulkhead.review(lane);
      return allow("limiter.throttle", level);
    },
    throttleOf: (pluginId) => plugins.get(pluginId)?.level ?? 0,
    status: () => ({
      running: bulkhead.active,
      waiting: bulkhead.waiting,
      plugins: plugins.size,
      tenants: tenants?.size ?? 0,
      evictedKeys: plugins.evicted + (tenants?.evicted ?? 0),
    }),
    close,
    [Symbol.dispose]: close,
  };
}

function tenantTable(maxKeys: number, rate: Rate, clock: Clock): KeyTable<TenantId, Gcra> {
  return new KeyTable(maxKeys, () => createGcra(rate, { clock }));
}

const CLOSED = Object.freeze(refuse("LIMITER_CLOSED", "limiter.closed", "the limiter is closed"));
const ABORTED = Object.freeze(
  refuse(
    "LIMITER_ABORTED",
    "limiter.signal",
    "the caller's signal aborted before the call started",
  ),
);
const THROTTLED = Object.freeze(
  refuse("LIMITER_THROTTLED", "limiter.throttle", "the plugin is throttled to a standstill"),
);
const PLUGINS_FULL = keysRefusal("plugin");
const TENANTS_FULL = keysRefusal("tenant");

function keysRefusal(whose: "plugin" | "tenant"): Refusal {
  const reason = `no idle ${whose} can be dropped to make room for a new one`;
  return Object.freeze(refuse("LIMITER_KEYS", `limiter.keys.${whose}`, reason, BUSY_RETRY_MS));
}
