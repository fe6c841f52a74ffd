/** @module The door @glovebox/tlog/errors. The codes of this package. */
export { TLOG_ERRORS, TlogError } from "./tlog-error.ts";
export type { TlogErrorCode } from "./tlog-error.ts";
