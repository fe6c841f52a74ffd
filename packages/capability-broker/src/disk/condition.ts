/**
 * @module What a file operation failed of in POSIX's terms, for callers that do not know this
 * package's codes: from one table, or the file system's own answer where it gave one.
 */
import { type Refusal, refuse } from "@glovebox/core/decision";
import type { FileCondition, FileRefusal } from "@glovebox/core/ports";

import { BrokerError, type BrokerErrorCode } from "../errors.ts";

/** Codes that file work refuses or fails with; what is not here is `EIO`. */
const CONDITIONS: Readonly<Partial<Record<string, FileCondition>>> = {
  BROKER_REVOKED: "EACCES",
  BROKER_FOREIGN_SCOPE: "EPERM",
  BROKER_CANCELLED: "ECANCELED",
  BROKER_NOT_RECORDED: "EACCES",
  BROKER_FILES_NOT_GRANTED: "EACCES",
  BROKER_FILES_UNSUPPORTED: "ENOTSUP",
  BROKER_PATH_SYNTAX: "EINVAL",
  BROKER_PATH_NAME: "EACCES",
  BROKER_PATH_NOT_GRANTED: "EACCES",
  BROKER_PATH_EXTENSION: "EACCES",
  BROKER_RIGHT_NOT_GRANTED: "EACCES",
  BROKER_FILE_NOT_FOUND: "ENOENT",
  BROKER_FILE_EXISTS: "EEXIST",
  BROKER_FILE_KIND: "EACCES",
  BROKER_FILE_SIZE: "EFBIG",
  BROKER_FILE_QUOTA: "EDQUOT",
  BROKER_FILE_BUSY: "EBUSY",
  BROKER_FILE_RANGE: "EINVAL",
  BROKER_FILE_CLOSED: "EBADF",
  BROKER_FILE_STALLED: "EIO",
  BROKER_FILE_BLOCKED: "EACCES",
  BROKER_FILE_IO: "EIO",
} satisfies Partial<Record<BrokerErrorCode, FileCondition>>;

/** What the file system answers, as codes of this package and conditions of the port. */
export const FILE_SYSTEM_ANSWERS: ReadonlyMap<
  string,
  { readonly code: BrokerErrorCode; readonly condition: FileCondition }
> = new Map(
  (
    [
      ["EACCES", "BROKER_FILE_IO"],
      ["EBUSY", "BROKER_FILE_IO"],
      ["EDQUOT", "BROKER_FILE_QUOTA"],
      ["EEXIST", "BROKER_FILE_EXISTS"],
      ["EFBIG", "BROKER_FILE_SIZE"],
      ["EINVAL", "BROKER_FILE_RANGE"],
      ["EIO", "BROKER_FILE_IO"],
      ["EISDIR", "BROKER_FILE_KIND"],
      // A link where a folder or file was expected (O_NOFOLLOW).
      ["ELOOP", "BROKER_FILE_KIND"],
      ["EMFILE", "BROKER_FILE_IO"],
      ["EMLINK", "BROKER_FILE_KIND"],
      ["ENAMETOOLONG", "BROKER_PATH_SYNTAX"],
      ["ENOENT", "BROKER_FILE_NOT_FOUND"],
      ["ENOSPC", "BROKER_FILE_QUOTA"],
      ["ENOTDIR", "BROKER_FILE_KIND"],
      ["ENOTEMPTY", "BROKER_FILE_EXISTS"],
      ["ENOTSUP", "BROKER_FILE_IO"],
      ["EPERM", "BROKER_FILE_IO"],
      ["EROFS", "BROKER_FILE_IO"],
      ["EXDEV", "BROKER_FILE_KIND"],
    ] as const
  ).map(([condition, code]) => [condition, { code, condition }]),
);

/** An error of file work that says its condition: the given one, or the table's. */
export function fileError(
  code: BrokerErrorCode,
  message?: string,
  condition: FileCondition = conditionOf(code),
  cause?: unknown,
): BrokerError {
  return new BrokerError(code, {
    ...(message === undefined ? {} : { message }),
    details: { condition },
    cause,
  });
}

/** The condition of a code. */
export function conditionOf(code: string): FileCondition {
  return CONDITIONS[code] ?? "EIO";
}

/** The condition that an error of this folder carries. */
export function conditionIn(error: BrokerError): FileCondition {
  const { condition } = error.details;
  return typeof condition === "string"
    ? // oxlint-disable-next-line no-unsafe-type-assertion -- only fileError sets this detail
      (condition as FileCondition)
    : conditionOf(error.code);
}

/** A refusal in the port's terms. */
export function fileRefusal(refusal: Refusal, condition = conditionOf(refusal.code)): FileRefusal {
  return { ...refusal, condition };
}

/** The refusal that an error of this folder becomes. */
export function refusalOf(error: BrokerError, reason: string): FileRefusal {
  return fileRefusal(refuse(error.code, "filesystem.object", reason), conditionIn(error));
}
