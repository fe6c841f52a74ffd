/**
 * @module The codes of the host: how a request or a command is refused before or after the runtime
 * has its say. Codes of the runtime and its modules pass through unchanged. docs/errors/host.md has a
 * heading for each.
 */
import {
  type ErrorCodeTable,
  SecurityError,
  type SecurityErrorOptions,
} from "@glovebox/core/errors";

/** Every code of this package: what it means and what to do. */
export const HOST_ERRORS = {
  HOST_USAGE: {
    summary: "The command line is not one that the command takes.",
    advice: "Compare it with the command's --help.",
  },
  HOST_UNSUPPORTED: {
    summary: "This version does not enforce what the option asks for.",
    advice: "Leave the option out; nothing is done that would look as if it were enforced.",
  },
  HOST_FILE: {
    summary: "A file that a command needs cannot be read or written.",
    advice: "Check the path and its permissions.",
  },
  HOST_PACKAGE: {
    summary: "The plugin package has problems.",
    advice: "Correct the problems that are listed.",
  },
  HOST_AUDIT_BROKEN: {
    summary: "The audit log is not as it was written.",
    advice:
      "Keep the directory as evidence; the message names the first bad line and what is wrong.",
  },
  HOST_AUDIT_UNANCHORED: {
    summary: "The audit log is whole, but whether its end is missing was not checked.",
    advice: "Pass a checkpoint that was kept elsewhere with --since.",
  },
  HOST_DATA_DIRECTORY: {
    summary: "The data directory cannot be used.",
    advice:
      "Give the host a directory that only its user can write to, in one that exists, with --data.",
  },
  HOST_POLICY: {
    summary:
      "The file of the host's policy is no JSON, or a member at any depth is unknown, missing or of another type.",
    advice: "Correct the member that is named; {} is the policy that allows nothing.",
  },
  HOST_PRIVATE_FILE: {
    summary: "A file of the data directory that only the host's user may use cannot be used.",
    advice: "Restore it, or remove it and approve again; its mode is 0600.",
  },
  HOST_NOT_RUNNING: {
    summary: "No host runs on the data directory.",
    advice: "Start it with glovebox serve, or name its directory with --data.",
  },
  HOST_OPERATOR: {
    summary: "Only an operator may do this.",
    advice: "Send the token of the data directory's operator.json as a bearer token.",
  },
  HOST_LISTEN: {
    summary: "The host cannot listen on the address and port.",
    advice: "Stop what listens there, or choose another --port.",
  },
  HOST_KEY_UNKNOWN: {
    summary: "There is no key of this name for this plugin.",
    advice: "Use a key name that the host offers to the plugin.",
  },
  HOST_NAME: {
    summary: "The request's Host is neither a loopback address nor a configured name.",
    advice: "Use http://127.0.0.1, or name the host with --allow-name.",
  },
  HOST_ORIGIN: {
    summary: "The request comes from a page of another origin.",
    advice: "Call the host from a program, or from its own page.",
  },
  HOST_NOT_FOUND: {
    summary: "There is nothing at this address.",
    advice: "GET /plugins lists what can be called.",
  },
  HOST_CONTENT_TYPE: {
    summary: "The body is of a type that the host does not take.",
    advice: "Send application/json (UTF-8) or application/octet-stream, not compressed.",
  },
  HOST_BODY: {
    summary: "The body is not an object of `input` and an optional `context`.",
    advice: 'Send {"input": …} or {"context": {…}, "input": …}.',
  },
  HOST_BODY_SIZE: {
    summary: "The body is too large.",
    advice: "Send less.",
  },
  HOST_TENANT: {
    summary: "A request may not name a tenant.",
    advice: "Leave `tenantId` out; the tenant is the host application's to say.",
  },
  HOST_OUTPUT_ENCODING: {
    summary: "The plugin's output is not UTF-8, so it has no JSON form.",
    advice: "Call the function with application/octet-stream to get bytes.",
  },
  HOST_BUSY: {
    summary: "The host holds as many bytes of requests and unread answers as it may.",
    advice: "Try again shortly.",
  },
  HOST_CLOSING: {
    summary: "The host is shutting down.",
    advice: "Try again when it has been started again.",
  },
  HOST_INTERNAL: {
    summary: "The host failed to answer.",
    advice: "The operator's log has the error.",
  },
} as const satisfies ErrorCodeTable;

/** A code of this package. */
export type HostErrorCode = keyof typeof HOST_ERRORS;

/** The error of this package; match on `code`. */
export class HostError extends SecurityError<HostErrorCode> {
  static override readonly brand: symbol = Symbol.for("@glovebox/host/HostError");

  constructor(code: HostErrorCode, options: SecurityErrorOptions = {}) {
    super(code, HOST_ERRORS[code], options);
  }
}

/** Wrong usage. */
export function usageError(message: string): HostError {
  return new HostError("HOST_USAGE", { message });
}
