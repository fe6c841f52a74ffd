/**
 * @module The codes of this package. `AUDITOR_EVENT_*`, `AUDITOR_ENTRY_*`, `AUDITOR_QUEUE_FULL`, `AUDITOR_POISONED` and
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
    summary: "The existing log is not what its writer left, or lacks what was acknowledged.",
    advice: "Keep the directory as evidence, run a verification, and start a log elsewhere.",
  },
  AUDITOR_ROLLBACK: {
    summary: "The log is older than its anchor, or another than the one that was anchored.",
    advice: "Restore the newest copy of the directory; writing on would fork the log.",
  },
  AUDITOR_FORK: {
    summary: "A tree contradicts one that the log has signed.",
    advice: "Keep the directory as evidence; the log refuses to sign two histories.",
  },
  AUDITOR_SIGN: {
    summary:
      "The log's key or its witnesses cannot be reached, so that no checkpoint is published.",
    advice: "Repair the access to them; entries stay durable and are sealed afterwards.",
  },
  AUDITOR_KEY: {
    summary: "The log was signed by a key that the given ones do not continue.",
    advice: "Open the log with its old key beside the new one once, so that it is endorsed.",
  },
  AUDITOR_ENTRY_SIZE: {
    summary: "The entry is larger than an entry of the log may be.",
    advice: "Append a digest of what is large; nothing is ever cut.",
  },
  AUDITOR_ENTRY_TEXT: {
    summary: "The entry's text is not well-formed Unicode.",
    advice: "Append bytes, or text without halves of surrogate pairs.",
  },
  AUDITOR_PRUNED: {
    summary: "The entry lies below the log's minimum index; its bytes may be gone.",
    advice: "Read from the minimum index on; proofs of what lies below stay valid.",
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
  AUDITOR_ANCHOR: {
    summary: "The anchor, key or policy given for a verification is malformed.",
    advice: "Pass a checkpoint, a vkey or a policy file as it was published.",
  },
  AUDITOR_ENTRY_INVALID: {
    summary: "An entry of the log is no event of a format that this version knows.",
    advice: "Verify the log; read a newer log with a newer version.",
  },
  AUDITOR_CLASS: {
    summary: "The event belongs to a retention class that this log does not keep.",
    advice: "Open the log with that class, or record elsewhere.",
  },
  AUDITOR_PLUGIN_BUDGET: {
    summary: "A plugin causes more events than it may.",
    advice: "Expected of a plugin that floods; raise `flood` if it is its trade.",
  },
  AUDITOR_DISK_RESERVED: {
    summary: "What is left of the disk is kept for operators and defences.",
    advice: "Make room, or prune; plugins go on by themselves afterwards.",
  },
  AUDITOR_SUBJECT_KEYS: {
    summary: "The store of persons' keys is broken, closed or too busy.",
    advice: "Look at its disk and its wrapping key; open the log again.",
  },
  AUDITOR_PERSONAL_FIELDS: {
    summary: "Personal fields of an event cannot be read with this key.",
    advice: "Verify the log; the ciphertext or its commitments are not as they were written.",
  },
  AUDITOR_PERSON_UNKNOWN: {
    summary: "Nothing is kept of this person, or no more, or persons are kept in the clear.",
    advice: "Check the spelling; after an erasure this is what is to be expected.",
  },
  AUDITOR_HELD: {
    summary: "A legal hold stands against the erasure.",
    advice: "Lift the hold first, if it may be lifted.",
  },
  AUDITOR_HOLD: {
    summary: "The legal holds cannot be read, or there is no such hold.",
    advice: "Restore `holds.json`; nothing is pruned or erased before.",
  },
  AUDITOR_ERASURE_INCOMPLETE: {
    summary: "A key could not be destroyed everywhere that it is.",
    advice: "Make every copy reachable and open the log again: it goes on from there.",
  },
  AUDITOR_QUERY: {
    summary: "A query has a limit or a cursor that it cannot have.",
    advice: "Pass the cursor of the page before, with the same conditions.",
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
