/** @module What can go wrong in a runner, as errors; their texts may hold the plugin's own words. */
import type { Refusal } from "@glovebox/core/decision";

import { RUNNER_REPORTED_CODES, SandboxError } from "../errors.ts";
import { MAX_QUEUED_CALLS, MAX_QUEUED_INPUT_BYTES, MAX_TRAP_FRAMES } from "../limits.ts";

const decoder = new TextDecoder();
const NOTHING_SAID = {
  code: undefined,
  message: undefined,
  exitCode: undefined,
  frames: undefined,
};

/** The content of a FAILURE frame, which is attacker-controlled; `undefined` for anything but a code that a runner may report. */
export function parseFailure(payload: Uint8Array): SandboxError | undefined {
  let parsed: {
    code?: unknown;
    message?: unknown;
    exitCode?: unknown;
    frames?: unknown;
  } | null = null;
  try {
    parsed = JSON.parse(decoder.decode(payload)) as typeof parsed;
  } catch {
    // no code, and so refused below
  }
  const { code, message, exitCode, frames } = parsed ?? NOTHING_SAID;
  if (typeof code !== "string" || typeof message !== "string" || !RUNNER_REPORTED_CODES.has(code)) {
    return undefined;
  }
  // What a plugin reports in good order is meant for its caller; a trap's text is not.
  const isForCaller = code === "SANDBOX_PLUGIN_ERROR";
  return new SandboxError(code, {
    message,
    ...(isForCaller ? { publicMessage: message } : {}),
    details: {
      ...(Number.isInteger(exitCode) ? { exitCode } : {}),
      ...(code === "SANDBOX_TRAP" ? { frames: parseFrames(frames) } : {}),
    },
  });
}

/** Where a trap was, as the process says; what is malformed is left out. */
function parseFrames(
  raw: unknown,
): readonly { readonly function: number; readonly offset: number }[] {
  if (!Array.isArray(raw)) return [];
  return raw.slice(0, MAX_TRAP_FRAMES).flatMap((frame: unknown) => {
    const [index, offset] = Array.isArray(frame) ? (frame as readonly unknown[]) : [];
    return isU32(index) && isU32(offset) ? [{ function: index, offset }] : [];
  });
}

function isU32(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 0xffff_ffff;
}

/** A refused host call: the reason is for the operator, the code for everybody. */
export function refusalError({ code, rule, reason }: Refusal): SandboxError {
  return new SandboxError("SANDBOX_HOST_CALL_REFUSED", {
    message: `${code}: ${reason}`,
    publicMessage: `a host call was refused: ${code}`,
    details: { code, rule },
  });
}

/** A command used more than it may. */
export function limitError(limit: "cpu" | "wall", usedMs: number): SandboxError {
  const used = Math.round(usedMs);
  return limit === "cpu"
    ? new SandboxError("SANDBOX_CPU_LIMIT", {
        message: `the plugin used ${used} ms of CPU time`,
        details: { usedMs: used },
      })
    : new SandboxError("SANDBOX_WALL_LIMIT", {
        message: `the plugin's call took ${used} ms`,
        details: { usedMs: used },
      });
}

/** A process holds more memory than its limits can explain. */
export function residentError(bytes: number): SandboxError {
  return new SandboxError("SANDBOX_MEMORY_LIMIT", {
    message: `the plugin's process held ${bytes} bytes of memory`,
    details: { bytes },
  });
}

/** Too much waits for one runner. */
export function queueFull(calls: number, bytes: number): SandboxError {
  return new SandboxError("SANDBOX_QUEUE_FULL", {
    message: `${calls} calls with ${bytes} bytes of input wait already, at most ${MAX_QUEUED_CALLS} and ${MAX_QUEUED_INPUT_BYTES}`,
    details: { calls, bytes },
  });
}
