import { writeText } from "./block";
/**
 * @module Errors that say nothing internal. `fail` takes the one sentence that callers may read, and
 * `logFailure` takes what only the operator may. Expected failures do not trap: the first one is
 * kept, getters answer empty values from then on, `run` throws the result away and reports the
 * failure. Ask `failed()` before anything that has an effect.
 */
import * as env from "./env";

let failure = "";

/** Lets the call fail with a sentence for the caller. Write it by hand: no values, no paths, no secrets. */
export function fail(publicMessage: string): void {
  if (failure.length == 0) failure = publicMessage;
}

/** Whether this call has failed. */
export function failed(): bool {
  return failure.length != 0;
}

/** For `run`: the failure of the call that ends now, and forgets it. */
export function takeFailure(): string {
  const taken = failure;
  failure = "";
  return taken;
}

/** Tells the operator what the caller must not see. */
export function logFailure(internalMessage: string): void {
  env.logError(writeText(internalMessage));
}

/**
 * Where a failed assertion, a bad index or exhausted memory of the AssemblyScript runtime ends
 * (`--use abort=`): the caller reads a fixed sentence, the place goes to the operator's log, and the
 * plugin traps.
 */
export function onAbort(message: string | null, file: string | null, line: u32, column: u32): void {
  // Memory may be what is exhausted: set without allocating, and before anything that does.
  if (!aborting) {
    aborting = true;
    env.errorSet(asciiBlock("The plugin failed."));
    const place = (file === null ? "?" : file) + ":" + line.toString() + ":" + column.toString();
    logFailure("aborted at " + place + ": " + (message === null ? "" : message));
  }
  unreachable();
}

let aborting = false;

function asciiBlock(text: string): u64 {
  const handle = env.alloc(<u64>text.length);
  for (let at = 0; at < text.length; at++) env.storeU8(handle + at, <u32>text.charCodeAt(at));
  return handle;
}
