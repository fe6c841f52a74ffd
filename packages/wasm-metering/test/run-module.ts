/** @module Runs a generated module, plain, counted or metered, and says everything that can be seen of the run. */
import { createHash } from "node:crypto";

import type { Sha256 } from "@glovebox/core/ids";
import {
  type MeteredModule,
  type MeteringOptions,
  meterModule,
  type ValidatedBytes,
} from "@glovebox/wasm-metering";

/** What a run left behind. */
export interface Run {
  /** Results, or what was thrown. */
  readonly outcome: string;
  /** Digest of the memory, and the globals. */
  readonly state: string;
  /** The counting or fuel global after the run. */
  readonly count: bigint | undefined;
}

/** Not an `Error`: what ends a run with one is told from a trap by that. */
class HostException {
  readonly isOfHost = true;
}

/** What a validator and an engine would have made of the bytes. */
export function validated(bytes: Uint8Array): ValidatedBytes {
  return { bytes, sha256: createHash("sha256").update(bytes).digest("hex") as Sha256, verdict: {} };
}

/** The metered module; throws where it is refused. */
export function metered(bytes: Uint8Array, options: MeteringOptions = {}): MeteredModule {
  const decision = meterModule(validated(bytes), options);
  if (!decision.allowed) throw new Error(`${decision.code}: ${decision.reason}`);
  return decision.value;
}

/** Runs `run` with the budget of steps; `counter` names a global and its value before the run. */
export function run(bytes: Uint8Array, steps: number, counter?: readonly [string, bigint]): Run {
  const host = {
    throw: (value: number): void => {
      if (value % 2 !== 0) throw new HostException();
    },
  };
  const module = new WebAssembly.Module(Uint8Array.from(bytes));
  const { exports } = new WebAssembly.Instance(module, { host });
  const global = (name: string): { value: unknown } => exports[name] as { value: unknown };
  global("steps").value = steps;
  if (counter !== undefined) global(counter[0]).value = counter[1];
  let outcome: string;
  try {
    outcome = String((exports["run"] as (a: number, b: bigint) => unknown)(3, 7n));
  } catch (error) {
    outcome = error instanceof Error ? `${error.name}: ${error.message}` : "not an error";
  }
  const memory = createHash("sha256").update(
    new Uint8Array((exports["memory"] as WebAssembly.Memory).buffer),
  );
  const state = [memory.digest("hex"), global("steps").value, global("tally").value].join();
  return { outcome, state, count: counter && (global(counter[0]).value as bigint) };
}
