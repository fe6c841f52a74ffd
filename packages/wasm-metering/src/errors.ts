/** @module Every code of this package. Types and docs/errors/wasm-metering.md derive from this table. */
import {
  type ErrorCodeTable,
  SecurityError,
  type SecurityErrorOptions,
} from "@glovebox/core/errors";

/** The codes of this package: what each means and what to do about it. */
export const METERING_ERRORS = {
  METERING_USAGE: {
    summary: "Metering was called with something it does not take",
    advice: "Pass a validated module, and options in the documented range.",
  },
  METERING_DIGEST: {
    summary: "The bytes are not those that were validated",
    advice: "Pass the validated module as the validator made it; something wrote to its bytes.",
  },
  METERING_INDEX: {
    summary: "The module refers to something that it does not have",
    advice: "Keep the module as evidence: a validated module cannot have such an index.",
  },
  METERING_LIMIT: {
    summary: "The metered module would exceed a limit of the engine",
    advice: "Split the function that the reason names, or build the module with smaller ones.",
  },
  METERING_MEMORY: {
    summary: "The module begins with more memory or table than it may have",
    advice: "Raise the maximum, or build the module with a smaller initial size.",
  },
} as const satisfies ErrorCodeTable;

/** A code of {@link METERING_ERRORS}. */
export type MeteringErrorCode = keyof typeof METERING_ERRORS;

/** Thrown on misuse (`METERING_USAGE`); the other codes are refusals. */
export class MeteringError extends SecurityError<MeteringErrorCode> {
  static override readonly brand: symbol = Symbol.for("@glovebox/wasm-metering/MeteringError");

  constructor(code: MeteringErrorCode, options: SecurityErrorOptions = {}) {
    super(code, METERING_ERRORS[code], options);
  }
}
