/** @module What went wrong in a runner, as the host's codes. Messages may hold the plugin's own text. */
import { PluginFailure } from "../abi/abi.ts";
import { ProcessExit } from "../abi/wasi/process-exit.ts";
import type { SandboxErrorCode } from "../errors.ts";
import { MAX_PLUGIN_ERROR_CHARACTERS, MAX_TRAP_FRAMES } from "../limits.ts";

/** The content of FAILURE. */
export interface ReportedFailure {
  readonly code: SandboxErrorCode;
  readonly message: string;
  /** Whether the instance was left in good order. */
  readonly orderly: boolean;
  /** With which a program ended itself. */
  readonly exitCode?: number;
  /** Where a trap was: function index and byte offset in the module as loaded, the innermost first. */
  readonly frames?: readonly (readonly [number, number])[];
}

/** Names what was thrown out of a command. */
export function classifyFailure(error: unknown): ReportedFailure {
  if (error instanceof PluginFailure) {
    const { code, orderly } = error;
    const exit = error instanceof ProcessExit ? { exitCode: error.exitCode } : {};
    return { code, message: bounded(error.message), orderly, ...exit };
  }
  const message = bounded(error instanceof Error ? error.message : "an exception of the plugin");
  const code = codeOf(error, message);
  const frames = code === "SANDBOX_TRAP" && error instanceof Error ? framesOf(error) : [];
  return { code, message, orderly: false, ...(frames.length === 0 ? {} : { frames }) };
}

/** How V8 ends the line of a call in a module. What stands before it are names, the plugin's own words. */
const FRAME_LINE = /wasm-function\[(\d{1,10})\]:0x([0-9a-f]{1,8})\)?$/gm;

function framesOf({ stack = "" }: Error): readonly (readonly [number, number])[] {
  const found = [...stack.matchAll(FRAME_LINE)].slice(0, MAX_TRAP_FRAMES);
  return found.map(([, index, offset]) => [Number(index), Number.parseInt(offset ?? "", 16)]);
}

function codeOf(error: unknown, message: string): SandboxErrorCode {
  if (error instanceof WebAssembly.LinkError) return "SANDBOX_ABI";
  // V8 throws RangeError both for a full stack and for memory that it cannot have.
  if (
    /memory|allocat/i.test(message) &&
    (error instanceof RangeError || error instanceof WebAssembly.CompileError)
  ) {
    return /memory access|table index/i.test(message) ? "SANDBOX_TRAP" : "SANDBOX_MEMORY_LIMIT";
  }
  if (error instanceof TypeError) return "SANDBOX_ABI";
  return "SANDBOX_TRAP";
}

function bounded(text: string): string {
  return text.length <= MAX_PLUGIN_ERROR_CHARACTERS
    ? text
    : `${text.slice(0, MAX_PLUGIN_ERROR_CHARACTERS - 1)}…`;
}
