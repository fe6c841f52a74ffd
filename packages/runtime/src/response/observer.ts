/**
 * @module Tells the monitor of every finished call and carries out what it answers: a note in the
 * audit log, a slower plugin, or quarantine. The monitor decides, the runtime acts.
 */
import type { Clock } from "@glovebox/core/clock";
import type { CallOutcome, CallScope } from "@glovebox/core/ports";
import type { Action, Monitor } from "@glovebox/monitor";

import type { Events } from "../events/fan-out.ts";
import { EVENT } from "../events/kinds.ts";
import type { Responses } from "./quarantine.ts";

/** Sees every call that ran. */
export interface Observer {
  observe(scope: CallScope, outcome: CallOutcome): void;
}

/** Makes the observer. */
export function createObserver(
  monitor: Pick<Monitor, "observe">,
  responses: Responses,
  events: Events,
  clock: Clock,
): Observer {
  return {
    observe(scope, { ok, usage, ...rest }) {
      const execution = {
        pluginId: scope.pluginId,
        startTimeMs: clock.wallMs() - usage.wallMs,
        wallTimeMs: usage.wallMs,
        cpuTimeMs: usage.cpuMs,
        instructions: usage.instructions,
        memoryUsedBytes: usage.memoryPeakBytes,
        networkRequests: usage.networkRequests,
        filesystemAccess: usage.fileOperations,
      };
      const actions = monitor.observe(
        "error" in rest && !ok ? { ...execution, code: rest.error.code } : execution,
      );
      for (const action of actions) carryOut(action, scope);
    },
  };

  function carryOut(action: Action, scope: CallScope): void {
    const { rule, code, reason, pluginId } = action;
    events.tell(scope, { kind: EVENT.alert, success: false, rule, code, error: reason });
    if (action.kind === "quarantine") {
      void responses.quarantine(pluginId, { reason, rule, durationMs: action.durationMs });
    } else if (action.kind === "throttle") {
      responses.throttle(pluginId, action);
    }
  }
}
