/** @module The door of @glovebox/linux. */
export { openCpuClock } from "./cpu-clock.ts";
export type { CpuClock } from "./cpu-clock.ts";
export { LINUX_ERRORS, LinuxError } from "./errors.ts";
export type { LinuxErrorCode } from "./errors.ts";
export { locateKoffi } from "./native-functions.ts";
export type { BackEnd, KoffiLocation } from "./native-functions.ts";
export { openResidentMemory } from "./resident-memory.ts";
export type { ResidentMemory } from "./resident-memory.ts";
export { readThreads } from "./thread-status.ts";
export type { ThreadStatus } from "./thread-status.ts";
