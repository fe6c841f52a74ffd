/**
 * @module From a refusal to the error that a caller gets. A refusal's reason is for the operator;
 * outside it is told by its code's summary, which holds no values (tables of all modules).
 */
import { BROKER_ERRORS } from "@glovebox/capability-broker";
import type { Refusal } from "@glovebox/core/decision";
import { CORE_ERRORS, type ErrorCodeTable, sanitizeForMessage } from "@glovebox/core/errors";
import type { CodedError } from "@glovebox/core/ports";
import { LIMITER_ERRORS } from "@glovebox/limiter";
import { MANIFEST_ERRORS } from "@glovebox/manifest-validator";
import { SANDBOX_ERRORS } from "@glovebox/sandbox";
import { SIGNER_ERRORS } from "@glovebox/signer";
import { WASM_ERRORS } from "@glovebox/wasm-validator";

import { RUNTIME_ERRORS } from "./errors.ts";

const SUMMARIES: ErrorCodeTable = {
  ...CORE_ERRORS,
  ...MANIFEST_ERRORS,
  ...SIGNER_ERRORS,
  ...BROKER_ERRORS,
  ...WASM_ERRORS,
  ...LIMITER_ERRORS,
  ...SANDBOX_ERRORS,
  ...RUNTIME_ERRORS,
};

/** What outsiders are told of a code. */
export function publicMessageOf(code: string): string {
  return Object.hasOwn(SUMMARIES, code)
    ? (SUMMARIES[code]?.summary ?? code)
    : `refused with the code ${sanitizeForMessage(code)}`;
}

/** A refusal as an error for a caller. */
export function errorOf(refusal: Refusal): CodedError {
  const { code, rule, reason, retryAfterMs } = refusal;
  return {
    code,
    message: reason,
    publicMessage: publicMessageOf(code),
    details: retryAfterMs === undefined ? { rule } : { rule, retryAfterMs },
  };
}
