/** @module How a call ended, in the words of core/ports. */
import type { CallOutcome, CodedError, Usage } from "@glovebox/core/ports";

import type { SandboxError } from "../errors.ts";
import { WASM_PAGE_BYTES } from "../limits.ts";
import { COUNT_LOST } from "../protocol/frame-table.ts";
import type { ExchangeUsage } from "./exchange.ts";

/** What a call used that never began. */
export const NOT_RUN: ExchangeUsage = { wallMs: 0, cpuMs: 0 };

/** The outcome of a call that failed; `maxInstructions` where its modules are metered. */
export function failed(
  error: SandboxError,
  used: ExchangeUsage,
  inputBytes: number,
  maxInstructions?: number,
): CallOutcome {
  const { code, message, publicMessage } = error;
  const usage = usageOf(used, inputBytes, 0, undefined, maxInstructions);
  const { instructions } = usage;
  const details =
    code === "SANDBOX_INSTRUCTION_LIMIT"
      ? { ...error.details, instructions, maxInstructions }
      : error.details;
  const coded: CodedError = { code, message, publicMessage, details };
  return { ok: false, error: coded, usage };
}

/** Usage in the words of the port; what this package does not measure is `null`. */
export function usageOf(
  usage: ExchangeUsage,
  inputBytes: number,
  outputBytes: number,
  pages: number | undefined,
  maxInstructions?: number,
): Usage {
  return {
    wallMs: usage.wallMs,
    cpuMs: usage.cpuMs,
    ...countOf(usage, maxInstructions),
    memoryPeakBytes: pages === undefined ? null : pages * WASM_PAGE_BYTES,
    inputBytes,
    outputBytes,
    networkRequests: 0,
    fileOperations: 0,
  };
}

/**
 * The count comes from the plugin's process: no more than the limit is believed, so that one that was
 * taken over cannot run up a debt for others.
 */
function countOf(
  usage: ExchangeUsage,
  maxInstructions: number | undefined,
): Pick<Usage, "instructions" | "instructionsExact"> {
  if (maxInstructions === undefined || usage === NOT_RUN) {
    return { instructions: null, instructionsExact: null };
  }
  const { instructions = COUNT_LOST } = usage;
  if (instructions < 0) return { instructions: null, instructionsExact: false };
  return { instructions: Math.min(instructions, maxInstructions), instructionsExact: true };
}
