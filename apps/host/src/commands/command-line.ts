/**
 * @module How every command ends (contract.md 5): results on standard output; a failure's first line
 * on standard error is `CODE: message`, without a stack; the exit code says which kind. Messages may
 * quote attacker-controlled text, so that they are encoded for the terminal (CWE-150).
 */
import { encodeTerminal } from "@glovebox/core/encode";
import { SecurityError } from "@glovebox/core/errors";

import { withAdvice } from "./advice.ts";

/** Exit codes. */
export const EXIT = { ok: 0, failed: 1, usage: 2, limit: 3, notFresh: 4 } as const;

/** The codes of limits and deadlines, which have an exit code of their own. */
const LIMIT_CODES: ReadonlySet<string> = new Set([
  "LIMITER_CPU_DEADLINE",
  "LIMITER_MEMORY",
  "LIMITER_WALL_DEADLINE",
  "RUNTIME_INPUT_SIZE",
  "RUNTIME_VARIABLE_QUOTA",
  "SANDBOX_CPU_LIMIT",
  "SANDBOX_HOST_CALL_LIMIT",
  "SANDBOX_HOST_CALL_RATE",
  "SANDBOX_INPUT_SIZE",
  "SANDBOX_INSTRUCTION_LIMIT",
  "SANDBOX_MEMORY_LIMIT",
  "SANDBOX_OUTPUT_SIZE",
  "SANDBOX_WALL_LIMIT",
]);
const USAGE_CODES: ReadonlySet<string> = new Set([
  "HOST_USAGE",
  "HOST_UNSUPPORTED",
  "AUDITOR_ANCHOR",
  "AUDITOR_QUERY",
  // Only options become a policy; what a manifest asks for is refused with other codes.
  "BROKER_POLICY",
]);

/** Where a command writes, and reads its input from. */
export interface Terminal {
  readonly stdin: NodeJS.ReadableStream;
  /** Resolves when the bytes are handed over. */
  out(data: string | Uint8Array): Promise<void>;
  err(text: string): void;
  /** Whether standard error is a terminal, where progress may be shown. */
  readonly isInteractive?: boolean;
  /** Asks the person at the keyboard for a line; absent where nobody is there. */
  ask?(question: string): Promise<string>;
}

/** A failure as it is told: a code and one sentence. */
export interface Failure {
  readonly code: string;
  readonly message: string;
}

/** Writes a failure in one line, with what to do about it, and answers its exit code. */
export function fail(terminal: Terminal, { code, message }: Failure): number {
  terminal.err(`${code}: ${encodeTerminal(withAdvice(code, message))}\n`);
  if (USAGE_CODES.has(code)) return EXIT.usage;
  return LIMIT_CODES.has(code) ? EXIT.limit : EXIT.failed;
}

/** What was thrown, as a failure; what has no code is a bug and says so. */
export function failureOf(error: unknown): Failure {
  if (error instanceof SecurityError) return { code: error.code, message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  return { code: "HOST_INTERNAL", message };
}
