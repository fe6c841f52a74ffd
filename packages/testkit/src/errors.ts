/**
 * @module The coded errors of the test kit. Most stand for a test that is itself wrong: such a
 * mistake has to fail loudly, because a fixture that quietly does something else lets a test pass
 * for the wrong reason.
 */
import {
  type ErrorCodeTable,
  SecurityError,
  type SecurityErrorOptions,
} from "@glovebox/core/errors";

/** Every code of this package: what it means and what to do. */
export const TESTKIT_ERRORS = {
  TESTKIT_WAT: {
    summary: "The WebAssembly text does not assemble to a valid module.",
    advice:
      "Read the line in the message; pass `validate: false` where the module is invalid on purpose.",
  },
  TESTKIT_FILE_NAME: {
    summary: "A fixture file name is not a relative path inside the fixture directory.",
    advice: "Use a relative name with forward slashes and without `.` or `..` components.",
  },
  TESTKIT_CLOCK: {
    summary: "A fake clock was moved by what is not a finite number, or backwards.",
    advice:
      "Pass finite milliseconds, 0 or more, to `advance`; `setWallMs` moves the wall clock back.",
  },
  TESTKIT_CLOCK_RUNAWAY: {
    summary: "Timers kept scheduling timers that were due at once.",
    advice: "Look for a timer that re-arms itself without a delay.",
  },
  TESTKIT_SCOPE: {
    summary: "A scope was given an id that is not one.",
    advice: "Use an id that the parsers of core/ids accept.",
  },
  TESTKIT_CASE_FILE: {
    summary: "A case file does not have the form {meta, policies, cases}.",
    advice: "Give every case an id of its own, and the file at least one case.",
  },
  TESTKIT_NOT_GRANTED: {
    summary: "The in-memory host services refuse what a test did not set up.",
    advice: "Override the one port function that the test needs.",
  },
  TESTKIT_FILE: {
    summary: "The files in memory refuse an operation.",
    advice: "Read the condition: it is what a file system would answer.",
  },
  TESTKIT_LOG_REFUSED: {
    summary: "The recording decision log was told to refuse.",
    advice: "Expected where a test calls `refuseWith()`; `accept()` ends it.",
  },
} as const satisfies ErrorCodeTable;

/** A code of this package. */
export type TestkitErrorCode = keyof typeof TESTKIT_ERRORS;

/** The error of this package; match on `code`. */
export class TestkitError extends SecurityError<TestkitErrorCode> {
  static override readonly brand: symbol = Symbol.for("@glovebox/testkit/TestkitError");

  constructor(code: TestkitErrorCode, options: SecurityErrorOptions = {}) {
    super(code, TESTKIT_ERRORS[code], options);
  }
}
