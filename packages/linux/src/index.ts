/** @module The door of @glovebox/linux. */
export { openCpuClock } from "./cpu-clock.ts";
export type { CpuClock } from "./cpu-clock.ts";
export { LINUX_ERRORS, LinuxError } from "./errors.ts";
export type { LinuxErrorCode } from "./errors.ts";
export { locateKoffi } from "./native-functions.ts";
export type { BackEnd, KoffiLocation } from "./native-functions.ts";
export { prepareDataLimit, restrictProcess } from "./process-control.ts";
export { openResidentMemory } from "./resident-memory.ts";
export type { ResidentMemory } from "./resident-memory.ts";
export { loadSystemCalls } from "./system-calls.ts";
export type { SystemCalls } from "./system-calls.ts";
