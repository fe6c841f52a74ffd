export { SecurityError } from "./security-error.ts";
export type {
  ErrorCodeEntry,
  ErrorCodeTable,
  ErrorDetails,
  SecurityErrorOptions,
} from "./security-error.ts";
export { received, sanitizeForMessage } from "./message.ts";
