/** @module The life of a runner as a transition table; what is not in it cannot happen. */

/** Where a runner is in its life. `draining` takes no new calls; `ended` was killed or has died. */
export type RunnerState =
  | "booting"
  | "warm"
  | "configured"
  | "loaded"
  | "ready"
  | "draining"
  | "ended";

/** What moves a runner on. */
export type RunnerEvent =
  | "hello"
  | "configure"
  | "validate"
  | "load"
  | "instantiate"
  | "call"
  | "drain"
  | "end";

const TRANSITIONS: Readonly<Record<RunnerState, Partial<Record<RunnerEvent, RunnerState>>>> = {
  booting: { hello: "warm", end: "ended" },
  warm: { configure: "configured", end: "ended" },
  configured: { validate: "configured", load: "loaded", end: "ended" },
  loaded: { load: "loaded", instantiate: "ready", end: "ended" },
  ready: { call: "ready", drain: "draining", end: "ended" },
  draining: { drain: "draining", end: "ended" },
  ended: { end: "ended", drain: "ended" },
};

/** The state after an event, or `undefined` when the event is not allowed in this state. */
export function nextState(state: RunnerState, event: RunnerEvent): RunnerState | undefined {
  return TRANSITIONS[state][event];
}
