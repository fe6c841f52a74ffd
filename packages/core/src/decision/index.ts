/** @module The door @glovebox/core/decision. Decisions as values. */
export { allow, CHECK_FAILED, failClosed, failClosedAsync, refuse } from "./decision.ts";
export type { Allowed, Decision, Refusal } from "./decision.ts";
