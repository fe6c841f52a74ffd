/** @module How a call ended, in the words of core/ports. */
import type { CallOutcome, CodedError, Usage } from "@glovebox/core/ports";

import type { SandboxError } from "../errors.ts";
import { WASM_PAGE_BYTES } from "../limits.ts";
import type { ExchangeUsage } from "./exchange.ts";

/** What a call used that never began. */
export const NOT_RUN: ExchangeUsage = { wallMs: 0, cpuMs: 0 };

/** The outcome of a call that failed. */
export function failed(error: SandboxError, usage: ExchangeUsage, inputBytes: number): CallOutcome {
  const { code, message, publicMessage, details } = error;
  const coded: CodedError = { code, message, publicMessage, details };
  return { ok: false, error: coded, usage: usageOf(usage, inputBytes, 0, undefined) };
}

/** Usage in the words of the port; what this package does not measure is `null`. */
export function usageOf(
  usage: ExchangeUsage,
  inputBytes: number,
  outputBytes: number,
  pages: number | undefined,
): Usage {
  return {
    wallMs: usage.wallMs,
    cpuMs: usage.cpuMs,
    instructions: null,
    instructionsExact: null,
    memoryPeakBytes: pages === undefined ? null : pages * WASM_PAGE_BYTES,
    inputBytes,
    outputBytes,
    networkRequests: 0,
    fileOperations: 0,
  };
}
