import { decodeText, takeBlock, writeBlock, writeText } from "./block";
/** @module What the host keeps and does for a plugin: configuration, variables, logs, host functions. */
import * as env from "./env";
import { failed } from "./failure";

/** A value of the plugin's configuration, or `fallback`. */
export function config(key: string, fallback: string): string {
  const handle = env.configGet(writeText(key));
  return handle == 0 ? fallback : decodeText(takeBlock(handle));
}

/** A variable, which outlives the call; `null` when it is not set. */
export function getVariable(key: string): Uint8Array | null {
  const handle = env.varGet(writeText(key));
  return handle == 0 ? null : takeBlock(handle);
}

/** Sets a variable. After a failure nothing is set: a call that fails changes nothing. */
export function setVariable(key: string, value: Uint8Array): void {
  if (failed()) return;
  env.varSet(writeText(key), writeBlock(value));
}

/** Deletes a variable. */
export function deleteVariable(key: string): void {
  if (failed()) return;
  env.varSet(writeText(key), 0);
}

/** Writes to the operator's log. */
export function log(message: string): void {
  env.logInfo(writeText(message));
}

/** Writes a warning to the operator's log. */
export function logWarning(message: string): void {
  env.logWarn(writeText(message));
}

/**
 * An argument for a host function that takes bytes. Declare the function with
 * `@external("extism:host/user", "name")` and `u64` for each bytes argument, pass `handle`, and
 * call `free` afterwards.
 */
export class Argument {
  readonly handle: u64;

  constructor(bytes: Uint8Array) {
    this.handle = writeBlock(bytes);
  }

  free(): void {
    env.free(this.handle);
  }
}
