/**
 * @module Alerts and the port through which they leave (upstream: "AlertManager"). Equal alerts are
 * sent once in a while; a sink that fails, hangs or throws costs a count and nothing else, because
 * the calls being watched must not wait for a chat service.
 */
import type { Clock } from "@glovebox/core/clock";
import { BoundedMap } from "@glovebox/core/flow";
import type { PluginId } from "@glovebox/core/ids";

import { MAX_FINGERPRINTS, MAX_PENDING_ALERTS } from "./limits.ts";

/** How urgent an alert is. */
export type AlertSeverity = "low" | "medium" | "high" | "critical";

/** What was found. */
export type AnomalyType =
  | "failure-warning"
  | "consecutive-failures"
  | "sandbox-violation"
  | "quarantine-cap";

/** One alert. It holds ids and codes, and nothing that a plugin wrote. */
export interface Alert {
  readonly kind: "anomaly-detected";
  /** Equal for alerts that mean the same: what sinks and people group by. */
  readonly fingerprint: string;
  readonly anomalyType: AnomalyType;
  readonly severity: AlertSeverity;
  readonly pluginId: PluginId;
  /** The code of the call that led to it. */
  readonly code: string;
  readonly summary: string;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** Equal alerts that were held back since the last one was sent. */
  readonly suppressed: number;
}

/** Where alerts go: a chat, a pager, a log. */
export interface AlertSink {
  send(alert: Alert): Promise<void>;
}

/** What became of an alert at one sink, or of one that was held back. */
export type AlertResult = "sent" | "failed" | "dropped" | "deduplicated";

/** The settings of an {@link AlertDispatcher}. */
export interface AlertSettings {
  readonly dedupWindowMs: number;
  readonly alertTimeoutMs: number;
  readonly clock: Clock;
  readonly count: (result: AlertResult) => void;
}

interface Sent {
  readonly atMs: number;
  suppressed: number;
}

/** Sends alerts to every sink. */
export class AlertDispatcher {
  readonly #settings: AlertSettings;
  readonly #pending = new Map<AlertSink, Set<Promise<void>>>();
  readonly #sent = new BoundedMap<string, Sent>({ capacity: MAX_FINGERPRINTS });
  #closed = false;

  constructor(settings: AlertSettings) {
    this.#settings = settings;
  }

  /** Adds a sink; disposing the answer removes it. */
  add(sink: AlertSink): Disposable {
    this.#pending.set(sink, this.#pending.get(sink) ?? new Set());
    return { [Symbol.dispose]: () => void this.#pending.delete(sink) };
  }

  /** Sends an alert unless an equal one was sent within the window. Never throws. */
  raise(draft: Omit<Alert, "kind" | "fingerprint" | "atMs" | "suppressed">): void {
    // Without a sink nothing is sent, and so nothing later is a repetition of it.
    if (this.#pending.size === 0) return;
    const { clock, count, dedupWindowMs } = this.#settings;
    const fingerprint = `${draft.anomalyType}/${draft.pluginId}`;
    const nowMs = clock.monotonicMs();
    const last = this.#sent.get(fingerprint);
    if (last !== undefined && nowMs - last.atMs < dedupWindowMs) {
      last.suppressed += 1;
      return count("deduplicated");
    }
    const suppressed = last?.suppressed ?? 0;
    this.#sent.set(fingerprint, { atMs: nowMs, suppressed: 0 });
    const atMs = clock.wallMs();
    const alert: Alert = Object.freeze({
      kind: "anomaly-detected",
      fingerprint,
      ...draft,
      atMs,
      suppressed,
    });
    for (const [sink, pending] of this.#pending) this.#deliver(sink, pending, alert);
  }

  /** Sends nothing more, and waits for the deliveries under way, which are bounded in time. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#pending.values()].flatMap((pending) => [...pending]));
  }

  #deliver(sink: AlertSink, pending: Set<Promise<void>>, alert: Alert): void {
    const { count } = this.#settings;
    if (this.#closed || pending.size >= MAX_PENDING_ALERTS) return count("dropped");
    const delivery = this.#attempt(sink, alert).then((result) => {
      pending.delete(delivery);
      return count(result);
    });
    pending.add(delivery);
  }

  /** One attempt, which ends in time whatever the sink does. */
  async #attempt(sink: AlertSink, alert: Alert): Promise<AlertResult> {
    const { clock, alertTimeoutMs } = this.#settings;
    const timedOut = Promise.withResolvers<AlertResult>();
    using _timer = clock.setTimer(alertTimeoutMs, () => timedOut.resolve("failed"));
    const sending = async (): Promise<AlertResult> => {
      try {
        await sink.send(alert);
        return "sent";
      } catch {
        return "failed";
      }
    };
    return await Promise.race([sending(), timedOut.promise]);
  }
}
