/**
 * @module The codes of this package. All of them are mistakes of the programmer and thrown; nothing
 * that a plugin does makes the monitor throw.
 */
import {
  type ErrorCodeTable,
  SecurityError,
  type SecurityErrorOptions,
} from "@glovebox/core/errors";

/** Every code of this package: what it means and what to do. */
export const MONITOR_ERRORS = {
  MONITOR_OPTION: {
    summary: "An option of the monitor is outside its range.",
    advice: "Correct the option named in the message.",
  },
  MONITOR_METRIC: {
    summary: "A metric cannot be registered under this name, with these labels or buckets.",
    advice: "Follow the naming rules in the message; register each name once.",
  },
  MONITOR_LABELS: {
    summary: "A metric was given another number of label values than it has labels.",
    advice: "Pass one value for each label, in the order in which the labels were registered.",
  },
} as const satisfies ErrorCodeTable;

/** A code of this package. */
export type MonitorErrorCode = keyof typeof MONITOR_ERRORS;

/** The error of this package; match on `code`. */
export class MonitorError extends SecurityError<MonitorErrorCode> {
  static override readonly brand: symbol = Symbol.for("@glovebox/monitor/MonitorError");

  constructor(code: MonitorErrorCode, options: SecurityErrorOptions = {}) {
    super(code, MONITOR_ERRORS[code], options);
  }
}
