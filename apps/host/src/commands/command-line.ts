/**
 * @module How every command ends (contract.md 5): results on standard output; a failure's first line
 * on standard error is `CODE: message`, without a stack; the exit code says which kind. Messages may
 * quote attacker-controlled text, so that they are encoded for the terminal (CWE-150).
 */
import { constants } from "node:fs";
import { open } from "node:fs/promises";

import { encodeTerminal } from "@glovebox/core/encode";
import { SecurityError } from "@glovebox/core/errors";

import { HostError } from "../errors.ts";

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
}

/** A failure as it is told: a code and one sentence. */
export interface Failure {
  readonly code: string;
  readonly message: string;
}

/** Writes a failure, and answers its exit code. */
export function fail(terminal: Terminal, { code, message }: Failure): number {
  terminal.err(`${code}: ${encodeTerminal(message)}\n`);
  if (USAGE_CODES.has(code)) return EXIT.usage;
  return LIMIT_CODES.has(code) ? EXIT.limit : EXIT.failed;
}

/** What was thrown, as a failure; what has no code is a bug and says so. */
export function failureOf(error: unknown): Failure {
  if (error instanceof SecurityError) return { code: error.code, message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  return { code: "HOST_INTERNAL", message };
}

/** Wrong usage. */
export function usageError(message: string): HostError {
  return new HostError("HOST_USAGE", { message });
}

/**
 * Reads a file that the operator named, bounded.
 *
 * @throws {@link HostError} (`HOST_FILE`)
 */
export async function readOperatorFile(path: string, maxBytes: number): Promise<Buffer> {
  const problem = (what: string, cause?: unknown): HostError =>
    new HostError("HOST_FILE", { message: `${path} cannot be read: ${what}`, cause });
  let pieces: Buffer[];
  try {
    // O_NONBLOCK: opening a FIFO must not wait for its other end.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await file.stat();
    if (!stats.isFile()) throw problem("it is no regular file");
    if (stats.size > maxBytes) throw problem(`it has more than ${maxBytes} bytes`);
    pieces = [];
    let left = maxBytes + 1;
    while (left > 0) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(Math.min(left, 65_536)));
      if (bytesRead === 0) break;
      pieces.push(buffer.subarray(0, bytesRead));
      left -= bytesRead;
    }
    if (left === 0) throw problem(`it has more than ${maxBytes} bytes`);
  } catch (error) {
    if (error instanceof HostError) throw error;
    throw problem((error as { code?: string }).code ?? "unknown error", error);
  }
  return Buffer.concat(pieces);
}
