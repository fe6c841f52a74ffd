/** @module The door to files in memory. */
export { memoryFiles } from "./memory-files.ts";
export type { MemoryFiles, MemoryFilesOptions } from "./memory-files.ts";
