/**
 * @module What is done with a plugin that misbehaves: slow it down, or stop it until its time is over
 * or an operator releases it (specification: "Automated Responses"). Stopping comes before writing:
 * a log that is full must not keep a bad plugin running.
 */
import type { Broker } from "@glovebox/capability-broker";
import type { Clock, Timer } from "@glovebox/core/clock";
import { sanitizeForMessage } from "@glovebox/core/errors";
import type { AuditPlace } from "@glovebox/core/ports";
import type { Limiter } from "@glovebox/limiter";
import type { ThrottleAction } from "@glovebox/monitor";

import type { Logger } from "../deps.ts";
import type { Events } from "../events/fan-out.ts";
import { EVENT } from "../events/kinds.ts";
import { MAX_REASON_CHARACTERS } from "../limits.ts";
import { killGeneration } from "../plugin/end-generation.ts";
import type { Plugin } from "../plugin/plugin.ts";
import type { Registry } from "../plugin/registry.ts";

/** Why, by which rule, and for how long. */
export interface QuarantineOrder {
  readonly reason: string;
  readonly rule: string;
  /** Milliseconds; `null` until an operator releases the plugin. */
  readonly durationMs: number | null;
}

/** What can be done with a plugin. */
export interface Responses {
  /** Stops a plugin; resolves to `false` when there is none that could be stopped. */
  quarantine(rawId: string, order: QuarantineOrder): Promise<boolean>;
  /** Slows a plugin down for a while. */
  throttle(rawId: string, action: Pick<ThrottleAction, "level" | "durationMs" | "reason">): void;
  /** Forgets what is planned for a plugin. */
  forget(plugin: Plugin): void;
}

/** What responses need. */
export interface ResponseParts {
  readonly registry: Registry;
  readonly broker: Pick<Broker, "revoke">;
  readonly limiter: Limiter;
  readonly events: Events;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Loads a plugin's bytes again when its time is over. */
  release(plugin: Plugin): void;
}

/** Joins the responses. */
export function createResponses(parts: ResponseParts): Responses {
  const { registry, broker, limiter, events, logger, clock } = parts;
  const timers = new Map<Plugin, Timer>();

  const plan = (plugin: Plugin, afterMs: number, run: () => void): void => {
    timers.get(plugin)?.cancel();
    timers.set(plugin, clock.setTimer(afterMs, run));
  };
  const forget = (plugin: Plugin): void => {
    timers.get(plugin)?.cancel();
    timers.delete(plugin);
  };

  return {
    forget,
    async quarantine(rawId, { reason: rawReason, rule, durationMs }) {
      const plugin = registry.get(rawId);
      const reason = sanitizeForMessage(rawReason.slice(0, MAX_REASON_CHARACTERS));
      if (plugin === undefined || !plugin.advance("quarantine", reason)) return false;
      const { id, generation } = plugin;
      forget(plugin);
      const gone = generation && killGeneration(generation, broker, reason);
      const event = {
        kind: EVENT.quarantine,
        success: true,
        rule,
        details: { reason, durationMs },
      };
      const place: AuditPlace | undefined = events.tell({ pluginId: id }, event);
      logger.error({ pluginId: id, rule, reason, durationMs }, "plugin quarantined");
      if (durationMs !== null) plan(plugin, durationMs, () => parts.release(plugin));
      await gone;
      if (place !== undefined) await events.settled(place);
      return true;
    },
    throttle(rawId, { level, durationMs, reason }) {
      const plugin = registry.get(rawId);
      if (plugin === undefined || !plugin.advance("throttle", reason)) return;
      const { id } = plugin;
      limiter.setThrottle(id, level);
      const event = { kind: EVENT.throttle, success: true, details: { reason, level, durationMs } };
      events.tell({ pluginId: id }, event);
      logger.warn({ pluginId: id, level, durationMs, reason }, "plugin throttled");
      plan(plugin, durationMs, () => {
        if (!plugin.advance("unthrottle")) return;
        limiter.setThrottle(id, 0);
        events.tell(
          { pluginId: id },
          { kind: EVENT.throttle, success: true, details: { level: 0 } },
        );
      });
    },
  };
}
