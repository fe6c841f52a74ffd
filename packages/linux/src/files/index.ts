/** @module The door of @glovebox/linux/files. */
export { loadFileCalls, O_PATH, O_TMPFILE } from "./file-calls.ts";
export type { ExactTimes, FileCalls, OpenBeneathOptions, RenameMode } from "./file-calls.ts";
