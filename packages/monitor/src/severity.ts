/**
 * @module Whose fault a failed call is, as a table. Only what a plugin does itself may count against
 * it: a caller who sends bad input, or a host that is full, must not be able to have an honest
 * plugin quarantined.
 */

/**
 * How heavily a failed call weighs.
 * - `none`: somebody else's doing; not counted anywhere but in the metrics.
 * - `error`: the plugin answered that it failed; its health suffers, quarantine is not nearer.
 * - `failure`: it broke or passed a limit.
 * - `serious`: as `failure`, but in a way that honest code hardly does; counts twice.
 * - `violation`: it got out of its sandbox, or tried to; quarantined at once.
 */
export type Severity = "none" | "error" | "failure" | "serious" | "violation";

/** Points towards quarantine; a violation does not count, it decides. */
export const POINTS: Readonly<Record<Severity, number>> = Object.freeze({
  none: 0,
  error: 0,
  failure: 1,
  serious: 2,
  violation: 0,
});

/** The severity of each code that a call can fail with. */
export const SEVERITIES: Readonly<Record<string, Severity>> = Object.freeze({
  SANDBOX_TRAP: "failure",
  SANDBOX_ABI: "failure",
  SANDBOX_MODULE_INVALID: "failure",
  SANDBOX_OUTPUT_SIZE: "failure",
  SANDBOX_CPU_LIMIT: "failure",
  SANDBOX_WALL_LIMIT: "failure",
  SANDBOX_MEMORY_LIMIT: "failure",
  SANDBOX_INSTRUCTION_LIMIT: "failure",
  // The kernel may have ended it for want of memory: a lost runner alone is no violation.
  SANDBOX_RUNNER_LOST: "failure",
  // Also what a server that is down looks like: it must not cost an honest plugin its quarantine.
  SANDBOX_HOST_CALL_REFUSED: "error",
  SANDBOX_HOST_CALL_LIMIT: "serious",
  SANDBOX_HOST_CALL_RATE: "serious",
  // A pointer or length outside the memory asks the host to read what is not there.
  SANDBOX_OUTPUT_RANGE: "serious",
  // Frames are written by our runner, not by the plugin: a broken one means that it is not ours now.
  SANDBOX_PROTOCOL: "violation",
  SANDBOX_VIOLATION: "violation",
  SANDBOX_PLUGIN_ERROR: "error",
  SANDBOX_EXPORT_MISSING: "none",
  SANDBOX_INPUT_SIZE: "none",
  // Its caller left, or the host ended it: also what a quarantine does to calls under way.
  SANDBOX_ABORTED: "none",
  SANDBOX_NOT_STARTED: "none",
  SANDBOX_QUEUE_FULL: "none",
  SANDBOX_CLOSED: "none",
  SANDBOX_BOOT_FAILED: "none",
  // Somebody wrote into the host's folder: not the plugin's doing.
  SANDBOX_MODULE_CHANGED: "none",
  SANDBOX_ISOLATION: "none",
  SANDBOX_OPTIONS: "none",
});

/**
 * The severity of a code: from `overrides`, else from the table. A code of the sandbox that nobody
 * listed counts as a failure (I9); other packages' codes are refusals before the plugin ran.
 */
export function severityOf(code: string, overrides: Readonly<Record<string, Severity>>): Severity {
  const listed = own(overrides, code) ?? own(SEVERITIES, code);
  return listed ?? (code.startsWith("SANDBOX_") ? "failure" : "none");
}

function own(table: Readonly<Record<string, Severity>>, code: string): Severity | undefined {
  return Object.hasOwn(table, code) ? table[code] : undefined;
}
