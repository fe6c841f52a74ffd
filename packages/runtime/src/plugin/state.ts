/**
 * @module The life of a plugin as a transition table (style: no scattered booleans). What is not in
 * the table does not happen; a state that takes no calls says with which code it refuses them.
 */
import type { RuntimeErrorCode } from "../errors.ts";

/** The states of contract.md 3. */
export type PluginState = "loading" | "ready" | "sleeping" | "throttled" | "quarantined" | "failed";

/** What happens to a plugin. */
export type PluginEvent =
  | "loaded"
  | "failed"
  | "throttle"
  | "unthrottle"
  | "quarantine"
  | "release";

/**
 * State × event → state. `sleeping` has no row: it is how a plugin that is `ready` and has no
 * process at the moment looks from outside, see {@link shownState}.
 */
const TRANSITIONS: Readonly<
  Record<Exclude<PluginState, "sleeping">, Partial<Record<PluginEvent, PluginState>>>
> = {
  // A quarantine during a load stands: the load finds it when it ends, and is refused.
  loading: { loaded: "ready", failed: "failed", quarantine: "quarantined" },
  ready: { throttle: "throttled", quarantine: "quarantined", failed: "failed" },
  throttled: { throttle: "throttled", unthrottle: "ready", quarantine: "quarantined" },
  // The process is gone: a release loads the same bytes again, through every check.
  quarantined: { release: "loading" },
  failed: { quarantine: "quarantined", release: "loading" },
};

/** The states that take no calls, and their answer. A throttled plugin's rate is the limiter's. */
const REFUSED_BY_STATE: Readonly<Partial<Record<PluginState, RuntimeErrorCode>>> = {
  loading: "RUNTIME_NOT_READY",
  quarantined: "RUNTIME_QUARANTINED",
  failed: "RUNTIME_FAILED",
};

/** The state after an event; `undefined` when the event does not fit the state. */
export function nextState(state: PluginState, event: PluginEvent): PluginState | undefined {
  return TRANSITIONS[state === "sleeping" ? "ready" : state][event];
}

/** The code with which a state refuses calls; `undefined` when it takes them. */
export function refusalOfState(state: PluginState): RuntimeErrorCode | undefined {
  return REFUSED_BY_STATE[state];
}

/** How the state looks from outside: a ready plugin without a process sleeps until its next call. */
export function shownState(state: PluginState, processes: number): PluginState {
  return state === "ready" && processes === 0 ? "sleeping" : state;
}
