/**
 * @module The codes of the runtime. Most are how a load or a call is answered; `RUNTIME_OPTIONS` and
 * `RUNTIME_USAGE` are thrown for a mistake of the programmer. Codes of the modules that the runtime
 * composes pass through it unchanged.
 */
import {
  type ErrorCodeTable,
  SecurityError,
  type SecurityErrorOptions,
} from "@glovebox/core/errors";

/** Every code of this package: what it means and what to do. */
export const RUNTIME_ERRORS = {
  RUNTIME_OPTIONS: {
    summary: "An option of the runtime is unknown, out of range or contradicts another.",
    advice: "Correct the option that the message names.",
  },
  RUNTIME_USAGE: {
    summary: "A function of the runtime was called with something that it does not take.",
    advice: "Compare the call with the documentation of the function.",
  },
  RUNTIME_PACKAGE_READ: {
    summary: "The plugin package could not be read.",
    advice: "Check that the path names a directory or a .tgz file that the host may read.",
  },
  RUNTIME_PACKAGE_SIZE: {
    summary: "The plugin package is larger, deeper or has more files than is allowed.",
    advice: "Ship less, or raise security.maxPluginSizeBytes.",
  },
  RUNTIME_PACKAGE_ENTRY: {
    summary: "The plugin package holds an entry that a package may not hold.",
    advice: "Ship regular files with plain relative names: no links, no devices, no name twice.",
  },
  RUNTIME_PACKAGE_ARCHIVE: {
    summary: "The plugin package is not a well-formed gzipped tar archive.",
    advice: "Pack it again in the ustar or pax format.",
  },
  RUNTIME_PACKAGE_FILE_MISSING: {
    summary: "The plugin package lacks a file that it needs.",
    advice: "Add plugin.yaml at the top, and every module that it names.",
  },
  RUNTIME_MODULE_WORK: {
    summary: "A module could not be read and metered within the host's limits.",
    advice: "Build a smaller module, or read the reason: its thread was ended.",
  },
  RUNTIME_SCHEMA: {
    summary: "A schema of the plugin's functions cannot be compiled.",
    advice: "Correct the JSON Schema in plugin.yaml.",
  },
  RUNTIME_APPROVAL_UNKNOWN: {
    summary: "Nothing of this plugin waits for an approval.",
    advice: "Load the plugin first; what waits is listed with the approvals.",
  },
  RUNTIME_APPROVAL_CHANGED: {
    summary: "The plugin asks for something else than what was read.",
    advice: "Read what waits now, and decide again.",
  },
  RUNTIME_APPROVAL_STORE: {
    summary: "The approvals cannot be kept.",
    advice: "Look at where the host keeps them: space, permissions, or a failing disk.",
  },
  RUNTIME_PLUGIN_LIMIT: {
    summary: "As many plugins are loaded as may be.",
    advice: "Unload one, or raise resources.maxConcurrentPlugins.",
  },
  RUNTIME_PLUGIN_DUPLICATE: {
    summary: "This version of the plugin is loaded already.",
    advice: "Unload it first, or load another version, which replaces it.",
  },
  RUNTIME_PLUGIN_BUSY: {
    summary: "The plugin is being loaded, replaced or unloaded.",
    advice: "Wait until that has ended.",
  },
  RUNTIME_PLUGIN_UNKNOWN: {
    summary: "No plugin of this id is loaded.",
    advice: "Load the plugin first, or correct the id.",
  },
  RUNTIME_NOT_READY: {
    summary: "The plugin is still being loaded.",
    advice: "Try again shortly.",
  },
  RUNTIME_QUARANTINED: {
    summary: "The plugin is in quarantine.",
    advice: "An operator has to look at it and release it.",
  },
  RUNTIME_FAILED: {
    summary: "The plugin could not be started again.",
    advice: "Read the reason in the list of plugins, then unload it or load a repaired version.",
  },
  RUNTIME_SHUT_DOWN: {
    summary: "The plugin system was shut down.",
    advice: "An operator has to open it again.",
  },
  RUNTIME_CONTEXT: {
    summary: "The context of the call is malformed.",
    advice: "Pass requestId, userId, tenantId and custom within their bounds, and nothing else.",
  },
  RUNTIME_INPUT: {
    summary: "The input is not one that the function takes.",
    advice: "Compare the input with the function's schema; `context` is set by the host.",
  },
  RUNTIME_INPUT_SIZE: {
    summary: "The input is too large.",
    advice: "Send less, or raise resources.maxInputBytes.",
  },
  RUNTIME_OUTPUT: {
    summary: "The plugin's output does not follow the function's schema.",
    advice: "The plugin is broken: report it to its author.",
  },
  RUNTIME_HOST_FUNCTION: {
    summary: "A host function failed.",
    advice: "The operator's log names the function and the kind of error.",
  },
  RUNTIME_VARIABLE_QUOTA: {
    summary: "The plugin's variables take up all the space that they may.",
    advice: "Let the plugin remove or shorten variables.",
  },
  RUNTIME_NOT_RECORDED: {
    summary: "The audit log did not take an event, so what it stands for is withheld.",
    advice: "Look at the audit log: full, failing or closed.",
  },
} as const satisfies ErrorCodeTable;

/** A code of this package. */
export type RuntimeErrorCode = keyof typeof RUNTIME_ERRORS;

/** The error of this package; match on `code`. */
export class RuntimeError extends SecurityError<RuntimeErrorCode> {
  static override readonly brand: symbol = Symbol.for("@glovebox/runtime/RuntimeError");

  constructor(code: RuntimeErrorCode, options: SecurityErrorOptions = {}) {
    super(code, RUNTIME_ERRORS[code], options);
  }
}
