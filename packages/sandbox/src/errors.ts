/** @module The errors of the sandbox: how a call, a plugin or the sandbox itself can fail. */
import {
  type ErrorCodeTable,
  SecurityError,
  type SecurityErrorOptions,
} from "@glovebox/core/errors";

/** Codes of {@link SandboxError}. */
export const SANDBOX_ERRORS = {
  SANDBOX_MODULE_INVALID: {
    summary: "the engine refuses the module",
    advice: "Rebuild the plugin; the message holds the engine's reason and the byte offset.",
  },
  SANDBOX_ABI: {
    summary: "the module does not follow its ABI",
    advice: "Compare the module's imports and exports with the ABI that plugin.yaml names.",
  },
  SANDBOX_EXPORT_MISSING: {
    summary: "the plugin exports no such function",
    advice: "Check the function's name and its parameters; the details list what is exported.",
  },
  SANDBOX_OUTPUT_RANGE: {
    summary: "the plugin answered with a range outside its memory",
    advice: "The plugin is broken or hostile: check the pointer and the length that it returns.",
  },
  SANDBOX_OUTPUT_SIZE: {
    summary: "the plugin's output is too large",
    advice: "Raise outputBytes if outputs of this size are expected.",
  },
  SANDBOX_INPUT_SIZE: {
    summary: "the input is too large",
    advice: "Send less, or raise inputBytes.",
  },
  SANDBOX_PLUGIN_ERROR: {
    summary: "the plugin reported an error",
    advice: "Read the plugin's own text in the message.",
  },
  SANDBOX_TRAP: {
    summary: "the plugin trapped",
    advice: "A bug in the plugin: the message names the trap. The next call gets a fresh instance.",
  },
  SANDBOX_CPU_LIMIT: {
    summary: "the plugin used up its CPU time",
    advice: "Raise cpuMs if the work is expected to take that long. The runner was ended.",
  },
  SANDBOX_INSTRUCTION_LIMIT: {
    summary: "the plugin used up its instructions",
    advice:
      "Raise instructions if the work is expected to take that many; the usage says how many ran.",
  },
  SANDBOX_WALL_LIMIT: {
    summary: "the plugin's time is up",
    advice: "Raise wallMs if host calls are expected to take that long. The runner was ended.",
  },
  SANDBOX_MEMORY_LIMIT: {
    summary: "the plugin needs more memory than it may have",
    advice: "Raise memoryBytes, or find out what grows.",
  },
  SANDBOX_HOST_CALL_LIMIT: {
    summary: "the plugin made too many host calls in one call",
    advice: "Raise hostCalls if that many are expected. The runner was ended.",
  },
  SANDBOX_HOST_CALL_RATE: {
    summary: "the plugin makes host calls too fast",
    advice: "Raise hostCallsPerSecond if that rate is expected. The runner was ended.",
  },
  SANDBOX_HOST_CALL_REFUSED: {
    summary: "a host call was refused",
    advice: "The details name the refusal's code; grant what is missing or correct the plugin.",
  },
  SANDBOX_ABORTED: {
    summary: "the call was aborted",
    advice:
      "Its caller, a revocation or a shut-down ended it; the runner was ended if the call was running.",
  },
  SANDBOX_PROTOCOL: {
    summary: "the plugin's process broke the protocol",
    advice: "Treat the plugin as hostile: its process was taken over or is broken. It was ended.",
  },
  SANDBOX_RUNNER_LOST: {
    summary: "the plugin's process ended during the call",
    advice: "The call may have had effects; the next call gets a new process.",
  },
  SANDBOX_NOT_STARTED: {
    summary: "the call was not started",
    advice: "Safe to retry: the plugin's process ended before it reached this call.",
  },
  SANDBOX_QUEUE_FULL: {
    summary: "too many calls wait for this plugin",
    advice: "Retry later, or give the plugin more runners.",
  },
  SANDBOX_CLOSED: {
    summary: "the plugin or the sandbox is closed",
    advice: "Load the plugin again.",
  },
  SANDBOX_BOOT_FAILED: {
    summary: "a runner could not be started",
    advice:
      "Read the cause: missing build (npm run build), process limits, memory, or a bubblewrap that hangs. Where the sandbox is no longer ready (/readyz is 503), start the host anew.",
  },
  SANDBOX_MODULE_CHANGED: {
    summary: "a sleeping plugin's module is not what was stored",
    advice:
      "Somebody changed or removed files of the sandbox's temporary folder. Find out who, and load the plugin again.",
  },
  SANDBOX_ISOLATION: {
    summary: "the isolation that was reached is below the required minimum",
    advice:
      "Run on a supported platform, install koffi on Node 22 or 24, or lower minimumIsolation knowingly.",
  },
  SANDBOX_OPTIONS: {
    summary: "an option is out of range",
    advice: "Correct the option that the message names.",
  },
} as const satisfies ErrorCodeTable;

/** Every code of {@link SandboxError}. */
export type SandboxErrorCode = keyof typeof SANDBOX_ERRORS;

/** How a call, a plugin or the sandbox failed. */
export class SandboxError extends SecurityError<SandboxErrorCode> {
  static override readonly brand: symbol = Symbol.for("@glovebox/sandbox/SandboxError");

  constructor(code: SandboxErrorCode, options?: SecurityErrorOptions) {
    super(code, SANDBOX_ERRORS[code], options);
  }
}

/** The codes that a runner may report itself; any other from a runner breaks the protocol. */
export const RUNNER_REPORTED_CODES: ReadonlySet<string> = new Set<SandboxErrorCode>([
  "SANDBOX_MODULE_INVALID",
  "SANDBOX_ABI",
  "SANDBOX_EXPORT_MISSING",
  "SANDBOX_OUTPUT_RANGE",
  "SANDBOX_OUTPUT_SIZE",
  "SANDBOX_PLUGIN_ERROR",
  "SANDBOX_TRAP",
  "SANDBOX_INSTRUCTION_LIMIT",
  "SANDBOX_MEMORY_LIMIT",
  "SANDBOX_HOST_CALL_REFUSED",
]);
