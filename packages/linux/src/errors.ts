/** @module The errors of this package: a system call that the kernel refused. */
import { getSystemErrorName } from "node:util";

import {
  type ErrorCodeTable,
  SecurityError,
  type SecurityErrorOptions,
} from "@glovebox/core/errors";

/** Codes of {@link LinuxError}. */
export const LINUX_ERRORS = {
  LINUX_CALL_FAILED: {
    summary: "a system call failed",
    advice: "Read the call and its arguments in the details; a container may forbid it.",
  },
  LINUX_PARENT_GONE: {
    summary: "the expected parent process has ended",
    advice: "Nothing to do: the process must end too, which it does.",
  },
  LINUX_USER_UNCHANGED: {
    summary: "the process could not become another user",
    advice: "Name a user that exists in this user namespace, or run the host without root.",
  },
  LINUX_PROC_UNREADABLE: {
    summary: "a file below /proc cannot be read",
    advice: "Mount /proc in the container without hidepid for the host's own children.",
  },
} as const satisfies ErrorCodeTable;

/** Every code of {@link LinuxError}. */
export type LinuxErrorCode = keyof typeof LINUX_ERRORS;

/** A system call failed, or its preconditions do not hold. */
export class LinuxError extends SecurityError<LinuxErrorCode> {
  static override readonly brand: symbol = Symbol.for("@glovebox/linux/LinuxError");

  constructor(code: LinuxErrorCode, options?: SecurityErrorOptions) {
    super(code, LINUX_ERRORS[code], options);
  }
}

/**
 * The error of a call that failed, with errno's name as `details.condition`. It holds no arguments:
 * paths among them are the host's.
 */
export function callFailed(call: string, errno: number): LinuxError {
  const condition = errno > 0 ? getSystemErrorName(-errno) : "unknown";
  return new LinuxError("LINUX_CALL_FAILED", {
    message: `${call} failed: ${condition}`,
    details: { call, errno, condition },
  });
}
