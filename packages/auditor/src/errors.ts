/**
 * @module The codes of this package. `AUDITOR_EVENT_*`, `AUDITOR_QUEUE_FULL`, `AUDITOR_POISONED` and
 * `AUDITOR_CLOSED` are refusals of `record`; the others reject opening, waiting or verifying.
 * docs/errors/auditor.md has a heading for each.
 */
import {
  type ErrorCodeTable,
  SecurityError,
  type SecurityErrorOptions,
} from "@glovebox/core/errors";

/** Every code of this package: what it means and what to do. */
export const AUDITOR_ERRORS = {
  AUDITOR_OPTION: {
    summary: "An option of the auditor has a value that it cannot have.",
    advice: "Correct the option that the message names.",
  },
  AUDITOR_DIRECTORY: {
    summary: "The log's directory or one of its files is not safe to use.",
    advice: "Give the log a directory of its own that only the host's user can write to.",
  },
  AUDITOR_LOCKED: {
    summary: "Another process writes to the log, or it cannot be ruled out.",
    advice: "Stop the other writer; remove `audit.lock` only if there certainly is none.",
  },
  AUDITOR_LOG_INVALID: {
    summary: "The end of the existing log is not what an auditor wrote.",
    advice: "Keep the directory as evidence, run a verification, and start a log elsewhere.",
  },
  AUDITOR_ORIGIN: {
    summary: "The directory holds the log of another origin.",
    advice: "Give each origin a directory of its own, or leave `origin` out to continue the log.",
  },
  AUDITOR_EVENT_KIND: {
    summary: "The event's kind is not in the table of kinds, or is the log's own.",
    advice: "Use a kind of `EVENT_KINDS`.",
  },
  AUDITOR_EVENT_INVALID: {
    summary: "The event does not have the form of an audit event.",
    advice: "Correct the member that the reason names.",
  },
  AUDITOR_EVENT_SIZE: {
    summary: "The event is larger than an entry of the log may be.",
    advice: "Record a digest of what is large; nothing is ever cut.",
  },
  AUDITOR_QUEUE_FULL: {
    summary: "Too many events wait to be written.",
    advice: "Try again after `retryAfterMs`; the disk is slower than the host.",
  },
  AUDITOR_POISONED: {
    summary: "A write or sync failed, so the log takes nothing until it is opened again.",
    advice: "Repair the disk, close the log, and open it again.",
  },
  AUDITOR_CLOSED: {
    summary: "The log is closed.",
    advice: "Expected while the host shuts down.",
  },
  AUDITOR_PLACE: {
    summary: "No event was recorded at this place.",
    advice: "Pass a place that `record` answered.",
  },
  AUDITOR_HEAD: {
    summary: "The text is not a head of a log.",
    advice: "Pass what `formatHead` wrote: an index, a colon and 64 hexadecimal digits.",
  },
} as const satisfies ErrorCodeTable;

/** A code of this package. */
export type AuditorErrorCode = keyof typeof AUDITOR_ERRORS;

/** A log that cannot be opened, written or read. */
export class AuditorError extends SecurityError<AuditorErrorCode> {
  static override readonly brand: symbol = Symbol.for("@glovebox/auditor/AuditorError");

  constructor(code: AuditorErrorCode, options: SecurityErrorOptions = {}) {
    super(code, AUDITOR_ERRORS[code], options);
  }
}
