/** @module The door @glovebox/core/errors. Coded errors. */
export { CORE_ERRORS, CoreError } from "./core-error.ts";
export type { CoreErrorCode } from "./core-error.ts";
export { received, sanitizeForMessage } from "./message.ts";
export { SecurityError } from "./security-error.ts";
export type {
  ErrorCodeEntry,
  ErrorCodeTable,
  ErrorDetails,
  SecurityErrorOptions,
} from "./security-error.ts";
