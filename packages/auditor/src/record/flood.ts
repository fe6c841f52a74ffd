/**
 * @module A budget of events per plugin (CWE-770, CWE-779; threat: audit-flood). One plugin can cause
 * 100,000 denials a second; written one by one they fill the disk and bury what matters. Over its
 * budget, equal denials become one counted event per window, and the plugin is reported so that it
 * can be slowed down; what would have an effect is refused instead, because nothing may happen
 * unrecorded. Kinds with reserved room have no budget: they are few, and must never be kept out.
 */
import type { Clock, Timer } from "@glovebox/core/clock";
import { refuse, type Refusal } from "@glovebox/core/decision";
import { BoundedMap, createGcra, type Gcra } from "@glovebox/core/flow";
import type { AuditEvent, OperationScope } from "@glovebox/core/ports";

import { FOLD_WINDOW_MS, MAX_FOLDS_PER_PLUGIN, MAX_TRACKED_PLUGINS } from "../limits.ts";
import type { LogPlace } from "../log/log.ts";

/** How many events one plugin may cause. */
export interface FloodOptions {
  /** Denials and failures per second that are written one by one. Default 100. */
  readonly denialsPerSecond?: number;
  /** Of these, how many may come at once. Default 1,000. */
  readonly denialBurst?: number;
  /** Events of any kind per second. Default 100,000: a share of what a disk takes. */
  readonly eventsPerSecond?: number;
  /** Of these, how many may come at once. Default 200,000. */
  readonly eventBurst?: number;
}

/** What a flood does to a plugin; told at most once per window. */
export interface FloodReport {
  readonly pluginId: string;
  readonly code: "AUDITOR_PLUGIN_BUDGET";
  readonly reason: string;
}

/** What the guard needs. */
export interface FloodParts {
  readonly clock: Clock;
  /** Writes a counted event. */
  write(scope: OperationScope, event: AuditEvent, count: number, firstTimeMs: number): void;
  onFlood(report: FloodReport): void;
}

/** Judges each event before it takes a place. */
export interface FloodGuard {
  /** `undefined`: write it. A place: it is counted there. A refusal: it must not happen. */
  judge(scope: OperationScope, event: AuditEvent): LogPlace | Refusal | undefined;
  /** Opens a fold for a denial that was just written over budget; later equal ones are counted. */
  opened(scope: OperationScope, event: AuditEvent, place: LogPlace): void;
  /** Writes what was counted, and stops counting. */
  flush(): void;
}

/** Equal denials of one plugin. */
interface Fold {
  readonly scope: OperationScope;
  readonly event: AuditEvent;
  /** Where its first event stands. */
  readonly place: LogPlace;
  count: number;
  firstTimeMs: number;
}

interface Budget {
  readonly denials: Gcra;
  readonly events: Gcra;
  readonly folds: Map<string, Fold>;
  isReported: boolean;
}

/** Code points that separate the parts of a key; no code or rule holds it. */
const SEPARATOR = "\u0000";
const OTHER = "other";

/** Makes a guard with every budget full. */
export function createFloodGuard(options: FloodOptions, parts: FloodParts): FloodGuard {
  const { denialsPerSecond = 100, denialBurst = 1_000 } = options;
  const { eventsPerSecond = 100_000, eventBurst = 200_000 } = options;
  const { clock } = parts;
  const budgets = new BoundedMap<string, Budget>({ capacity: MAX_TRACKED_PLUGINS });
  let timer: Timer | undefined;

  const budgetOf = (pluginId: string): Budget => {
    const known = budgets.get(pluginId);
    if (known !== undefined) return known;
    const budget: Budget = {
      denials: createGcra({ ratePerSecond: denialsPerSecond, burst: denialBurst }, { clock }),
      events: createGcra({ ratePerSecond: eventsPerSecond, burst: eventBurst }, { clock }),
      folds: new Map(),
      isReported: false,
    };
    const evicted = budgets.set(pluginId, budget);
    if (evicted !== undefined) write(evicted[1]);
    return budget;
  };

  const report = (budget: Budget, pluginId: string, reason: string): void => {
    if (budget.isReported) return;
    budget.isReported = true;
    timer ??= clock.setTimer(FOLD_WINDOW_MS, flush);
    parts.onFlood({ pluginId, code: "AUDITOR_PLUGIN_BUDGET", reason });
  };

  function judge(scope: OperationScope, event: AuditEvent): LogPlace | Refusal | undefined {
    const { pluginId } = scope;
    if (pluginId === undefined) return undefined;
    const budget = budgetOf(pluginId);
    if (!event.success) {
      const fold = budget.folds.get(keyOf(event)) ?? budget.folds.get(OTHER);
      if (fold !== undefined) {
        if (fold.count === 0) fold.firstTimeMs = clock.wallMs();
        fold.count += 1;
        return fold.place;
      }
    }
    const answer = budget.events.tryTake();
    if (answer.ok) return undefined;
    const reason = `plugin ${pluginId} causes more than ${eventsPerSecond} events a second`;
    report(budget, pluginId, reason);
    return refuse("AUDITOR_PLUGIN_BUDGET", "audit.plugin-budget", reason, answer.retryAfterMs);
  }

  function opened(scope: OperationScope, event: AuditEvent, place: LogPlace): void {
    const { pluginId } = scope;
    if (pluginId === undefined || event.success) return;
    const budget = budgetOf(pluginId);
    if (budget.denials.tryTake().ok) return;
    // The last of its folds counts whatever comes, so that inventing codes is of no use.
    const isLast = budget.folds.size >= MAX_FOLDS_PER_PLUGIN - 1;
    const key = isLast ? OTHER : keyOf(event);
    const { kind, code, rule } = event;
    const counted: AuditEvent =
      isLast || code === undefined
        ? { kind, success: false, details: { folded: isLast ? "different" : "equal" } }
        : { kind, success: false, code, details: { folded: "equal" } };
    const fold: Fold = {
      scope: { pluginId },
      event: rule === undefined || isLast ? counted : { ...counted, rule },
      place,
      count: 0,
      firstTimeMs: 0,
    };
    budget.folds.set(key, fold);
    timer ??= clock.setTimer(FOLD_WINDOW_MS, flush);
    report(
      budget,
      pluginId,
      `plugin ${pluginId} causes more than ${denialsPerSecond} denials a second`,
    );
  }

  function write(budget: Budget): void {
    for (const { scope, event, count, firstTimeMs } of budget.folds.values()) {
      if (count > 0) parts.write(scope, event, count, firstTimeMs);
    }
    budget.folds.clear();
    budget.isReported = false;
  }

  function flush(): void {
    timer?.cancel();
    timer = undefined;
    for (const [, budget] of budgets) write(budget);
  }

  return { judge, opened, flush };
}

/** What makes two denials equal. The function's name may be anyone's text; the others are ours. */
function keyOf({ kind, code = "", rule = "" }: AuditEvent): string {
  return kind + SEPARATOR + code + SEPARATOR + rule;
}
