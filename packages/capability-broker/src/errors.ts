/**
 * @module The codes of this package. Refusals of untrusted input carry them in a decision; a handle
 * that breaks, and misuse by the programmer, carry them in a {@link BrokerError}.
 */
import {
  type ErrorCodeTable,
  SecurityError,
  type SecurityErrorOptions,
} from "@glovebox/core/errors";

/** Every code that this package refuses or fails with. */
export const BROKER_ERRORS = {
  BROKER_POLICY: {
    summary: "The host policy or an option of the broker is not valid.",
    advice: "Correct the field that the message names.",
  },
  BROKER_REQUEST: {
    summary: "The capability request is not valid.",
    advice: "Correct the field of the manifest or approval that the reason names.",
  },
  BROKER_PATTERN: {
    summary: "A host pattern is not an exact host or a leading wildcard.",
    advice: "Write `api.example.com` or `*.example.com`, optionally with a port, in ASCII.",
  },
  BROKER_GRANT_UNKNOWN: {
    summary: "The object is not a grant that this broker made.",
    advice: "Pass the value of an allowed decision of grant(), unchanged and not copied.",
  },
  BROKER_GRANTS_FULL: {
    summary: "The broker holds as many grants as it may.",
    advice: "Revoke the grants of plugins that are no longer loaded.",
  },
  BROKER_FOREIGN_SCOPE: {
    summary: "The grant belongs to another plugin.",
    advice: "Use each grant only for calls of the plugin that it was made for.",
  },
  BROKER_CLOSED: {
    summary: "The broker is closed.",
    advice: "Open a new broker.",
  },
  BROKER_REVOKED: {
    summary: "The grant was revoked.",
    advice: "Ask the operator for a new grant.",
  },
  BROKER_EXPIRED: {
    summary: "The grant has expired.",
    advice: "Ask the operator for a new grant.",
  },
  BROKER_ATTENUATION: {
    summary: "The attenuation asks for more than its parent holds.",
    advice: "Ask only for what the parent grants; the reason names the fields that are wider.",
  },
  BROKER_APPROVAL: {
    summary: "No approval covers the request.",
    advice: "Show the difference to an operator and have it approved again.",
  },
  BROKER_QUOTA: {
    summary: "A total of the grant is used up.",
    advice: "Ask the operator for a new grant, or for a larger quota.",
  },
  BROKER_CANCELLED: {
    summary: "The call that this served has ended.",
    advice: "Finish the work before the call's deadline.",
  },
  BROKER_NOT_RECORDED: {
    summary: "The audit log did not take the decision, so nothing was done.",
    advice: "Look at the audit log: full, failing or closed.",
  },
  BROKER_NETWORK_NOT_GRANTED: {
    summary: "The plugin has no network grant.",
    advice: "Ask for network access in the manifest and allow it in the host policy.",
  },
  BROKER_URL_SYNTAX: {
    summary: "The URL is not in the strict form that the broker accepts.",
    advice:
      "Write `https://host[:port]/path` without spaces, control characters, backslashes or user information.",
  },
  BROKER_URL_SCHEME: {
    summary: "The URL's scheme is not granted.",
    advice: "Use https; plain http needs `allowInsecureHttp` in the host policy.",
  },
  BROKER_HOST_NAME: {
    summary: "The host is not a canonical host name or address.",
    advice: "Write a full name with at least two labels, or an address in its canonical form.",
  },
  BROKER_HOST_SPECIAL: {
    summary: "The host name is reserved for local or special use.",
    advice: "Use a public host name; local names never go to DNS.",
  },
  BROKER_HOST_NOT_GRANTED: {
    summary: "The host is not in the grant.",
    advice: "Add the host to the manifest's allowed_hosts and to the host policy.",
  },
  BROKER_PORT_NOT_GRANTED: {
    summary: "The port is not in the grant.",
    advice: "Use the scheme's default port, or grant the port in manifest and policy.",
  },
  BROKER_PATH_PREFIX: {
    summary: "The URL's path is not in the grant.",
    advice: "Stay below the granted paths, without encoded separators or `;`.",
  },
  BROKER_METHOD: {
    summary: "The method is malformed or not in the grant.",
    advice: "Use a granted method; the default is GET, HEAD and POST.",
  },
  BROKER_HEADER: {
    summary: "A request header is malformed, reserved to the broker, or one too many.",
    advice: "Leave out the header that the reason names.",
  },
  BROKER_SECRET: {
    summary: "A secret of the grant could not be inserted.",
    advice: "Look at the secret's name, value and resolver; the value must be printable ASCII.",
  },
  BROKER_SECRET_REFLECTED: {
    summary: "The response holds a secret that the request was given.",
    advice: "The server sends back what it was sent; have that changed there.",
  },
  BROKER_SCANNER: {
    summary: "A scanner found something that must not leave.",
    advice: "Look at the rule that it names; send less.",
  },
  BROKER_REDIRECT: {
    summary: "A redirect cannot be followed: too many, no clear target, or a body that is gone.",
    advice: "Ask for the final URL, or raise `maxRedirects`.",
  },
  BROKER_RESOLVE: {
    summary: "The host name could not be resolved.",
    advice: "Check the name and the host's DNS servers.",
  },
  BROKER_ADDRESS_DENIED: {
    summary: "The host's address is not public, or the policy denies it.",
    advice:
      "Only public addresses are reached; a private one needs its host in `allowedHosts` and `privateCidrs` in the policy.",
  },
  BROKER_NETWORK_BUSY: {
    summary: "The grant has too many exchanges in progress.",
    advice: "End some before beginning more.",
  },
  BROKER_NETWORK_RATE: {
    summary: "The grant has made too many requests or look-ups in a minute.",
    advice: "Wait as long as the refusal says.",
  },
  BROKER_CONNECT: {
    summary: "No connection to the host could be made.",
    advice: "Try again later; the host may be down.",
  },
  BROKER_TLS_PIN: {
    summary: "The host's public key is not among the grant's pins.",
    advice: "Someone is between, or the key was changed: compare it before adding its pin.",
  },
  BROKER_TLS: {
    summary: "The host's certificate or TLS version was not accepted.",
    advice:
      "The host needs TLS 1.2 or later and a certificate for its name from a trusted authority.",
  },
  BROKER_TIMEOUT_CONNECT: {
    summary: "Connecting took too long.",
    advice: "Try again later, or raise `connectTimeoutMs`.",
  },
  BROKER_TIMEOUT_FIRST_BYTE: {
    summary: "The response did not begin in time.",
    advice: "Try again later, or raise `firstByteTimeoutMs`.",
  },
  BROKER_TIMEOUT_IDLE: {
    summary: "The response stopped for too long.",
    advice: "Try again later, or raise `idleTimeoutMs`.",
  },
  BROKER_TIMEOUT_RATE: {
    summary: "The response came too slowly.",
    advice: "Try again later, or lower `minBytesPerSecond`.",
  },
  BROKER_TIMEOUT_TOTAL: {
    summary: "The exchange took too long in all.",
    advice: "Ask for less, or raise `totalTimeoutMs`.",
  },
  BROKER_EXCHANGE_STATE: {
    summary: "The operation does not fit the exchange's state.",
    advice: "Write the body, finish, then read; GET and HEAD have no body.",
  },
  BROKER_REQUEST_SIZE: {
    summary: "The request is larger than the grant allows.",
    advice: "Send less, or raise `maxRequestBytes`.",
  },
  BROKER_RESPONSE_HEAD: {
    summary: "The response's head has too many or too large parts.",
    advice: "The server must send fewer headers, trailers or informational responses.",
  },
  BROKER_RESPONSE_SIZE: {
    summary: "The response is larger than the grant allows.",
    advice: "Ask for less, or raise `maxResponseBytes`.",
  },
  BROKER_RESPONSE_OVERHEAD: {
    summary: "The response has too many bytes outside its body.",
    advice: "The server must send less chunk framing, fewer informational responses or trailers.",
  },
  BROKER_DECODED_SIZE: {
    summary: "The response decodes to more than the grant allows.",
    advice: "Ask for less, or raise `maxDecodedBytes` or `maxRatio`.",
  },
  BROKER_ENCODING: {
    summary: "The response has a content coding that is not known.",
    advice: "The server must send gzip, br, zstd or no coding.",
  },
  BROKER_ENCODING_LAYERS: {
    summary: "The response has too many layers of content coding.",
    advice: "The server must code once, or raise `maxCodings`.",
  },
  BROKER_DECODE: {
    summary: "The response's coded body is damaged, cut, or followed by something else.",
    advice: "The server's coding is broken; it must be repaired there.",
  },
  BROKER_RESPONSE_INVALID: {
    summary: "The response is not valid HTTP/1.1.",
    advice: "The server's framing is ambiguous or broken; it must be repaired there.",
  },
  BROKER_RESPONSE_TRUNCATED: {
    summary: "The connection ended before the response was whole.",
    advice: "Try again later; what was read is incomplete.",
  },
  BROKER_FILES_NOT_GRANTED: {
    summary: "The plugin has no file grant.",
    advice: "Ask for file access in the manifest and allow it in the host policy.",
  },
  BROKER_FILES_UNSUPPORTED: {
    summary: "File grants need Linux with /proc.",
    advice: "Run on Linux with /proc mounted, or ask for no files.",
  },
  BROKER_PATH_SYNTAX: {
    summary: "The path is not a well-formed absolute guest path.",
    advice: "Write `/granted/folder/name` without `..`, backslashes, colons or control characters.",
  },
  BROKER_PATH_NAME: {
    summary: "The path holds a hidden, reserved or ambiguous name.",
    advice: "Avoid a leading dot, a trailing dot or space, and device names such as CON.",
  },
  BROKER_PATH_NOT_GRANTED: {
    summary: "The path is outside every granted folder.",
    advice: "Add the folder to the manifest's allowed_paths and to the host policy.",
  },
  BROKER_PATH_EXTENSION: {
    summary: "Files with this extension are not granted.",
    advice: "Use an extension of the grant's list.",
  },
  BROKER_RIGHT_NOT_GRANTED: {
    summary: "The grant does not hold the right that this needs.",
    advice: "Ask for the right in the manifest and allow it in the host policy.",
  },
  BROKER_FILE_NOT_FOUND: {
    summary: "There is no such file or folder.",
    advice: "Create it first, or check the path.",
  },
  BROKER_FILE_EXISTS: {
    summary: "The file or folder exists already, or is not empty.",
    advice: "Choose another name, or remove it first.",
  },
  BROKER_FILE_KIND: {
    summary: "The object is a link, a special file, or of the wrong kind.",
    advice:
      "Only regular files with one link, and folders, of the root's own file system are served.",
  },
  BROKER_FILE_SIZE: {
    summary: "The file is, or would become, larger than the grant allows.",
    advice: "Use smaller files, or raise `maxFileBytes`.",
  },
  BROKER_FILE_QUOTA: {
    summary: "A total of bytes, files or open handles is used up.",
    advice: "Remove files, close handles, or raise the quota in the host policy.",
  },
  BROKER_FILE_BUSY: {
    summary: "Too many file operations wait.",
    advice: "Wait for earlier ones to end.",
  },
  BROKER_FILE_RANGE: {
    summary: "An offset, size or time is out of range.",
    advice: "Use whole numbers from 0 within the file's limits.",
  },
  BROKER_FILE_CLOSED: {
    summary: "The file is closed.",
    advice: "Open it again.",
  },
  BROKER_FILE_STALLED: {
    summary: "The disk did not answer in time, so what was in progress on it was given up.",
    advice: "Look at the disk; files open on it must be opened again.",
  },
  BROKER_FILE_BLOCKED: {
    summary: "A scanner blocked the file's content.",
    advice: "The event names the rule; what was written is not published.",
  },
  BROKER_FILE_IO: {
    summary: "The file system refused the operation.",
    advice: "Look at the cause: permissions, space, or a failing disk.",
  },
} as const satisfies ErrorCodeTable;

/** A code of this package. */
export type BrokerErrorCode = keyof typeof BROKER_ERRORS;

/**
 * What this package throws on misuse, and what its handles reject with. Match on `code`.
 *
 * @example
 * ```ts
 * import { BrokerError } from "@glovebox/capability-broker";
 *
 * const error = new BrokerError("BROKER_REVOKED");
 * error.publicMessage; // "The grant was revoked."
 * ```
 */
export class BrokerError extends SecurityError<BrokerErrorCode> {
  static override readonly brand: symbol = Symbol.for("@glovebox/capability-broker/BrokerError");

  constructor(code: BrokerErrorCode, options: SecurityErrorOptions = {}) {
    super(code, BROKER_ERRORS[code], options);
  }
}
