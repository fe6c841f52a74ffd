/** @module The door of @glovebox/linux/seccomp. */
export { knownArchitecture, SYSTEM_CALL_NUMBERS } from "../system-call-numbers.ts";
export type { Architecture, SystemCallName } from "../system-call-numbers.ts";
export { AUDIT_ARCH, buildFilter } from "./filter-program.ts";
export type { CallAnswer, CallRule } from "./filter-program.ts";
export { judgeCall } from "./judge-call.ts";
export type { JudgedCall } from "./judge-call.ts";
