export { allow, CHECK_FAILED, failClosed, failClosedAsync, refuse } from "./decision.ts";
export type { Allowed, Decision, Refusal } from "./decision.ts";
