/** @module The door of the reference host: its HTTP API for a runtime of one's own. */
export { HOST_ERRORS, HostError } from "./errors.ts";
export type { HostErrorCode } from "./errors.ts";
export { createHostApp } from "./http/app.ts";
export type { HostAppOptions } from "./http/app.ts";
export type { RuntimePort } from "./http/runtime-port.ts";
