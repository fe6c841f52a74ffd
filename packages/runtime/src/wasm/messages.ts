/** @module What host and module thread say to each other: types only. One thread has one job at a time. */
import type { Decision } from "@glovebox/core/decision";
import type { Sha256 } from "@glovebox/core/ids";
import type { EngineVerdict } from "@glovebox/core/ports";
import type { AbiRequirements } from "@glovebox/sandbox";
import type { MappedOffset } from "@glovebox/wasm-metering";
import type { WasmPolicy } from "@glovebox/wasm-validator";

/** What a thread is started with. */
export interface ThreadSetup {
  /** Absent where modules are judged by the engine alone, a named loosening. */
  readonly policy: WasmPolicy | undefined;
}

/** One module. */
export interface Job {
  readonly bytes: Uint8Array;
  readonly requirements: AbiRequirements;
  readonly maxMemoryPages: number;
  readonly maxTableElements: number;
  /**
   * Instead of a metered module, say where these offsets in it come from; the module was judged when
   * it was loaded.
   */
  readonly locate?: readonly number[];
}

/** Host to thread: a job, its bytes in pieces, then the answers to what it asks. */
export type ToThread =
  | ({ readonly kind: "job"; readonly byteLength: number } & Omit<Job, "bytes">)
  /** The next bytes of the job's module, from the first to the last. */
  | { readonly kind: "piece"; readonly bytes: Uint8Array }
  | { readonly kind: "verdict"; readonly decision: Decision<EngineVerdict> }
  | { readonly kind: "meter"; readonly isNeeded: boolean };

/** Thread to host. */
export type FromThread =
  | { readonly kind: "judge" }
  | { readonly kind: "validated"; readonly sha256: Sha256; readonly versions: string }
  | { readonly kind: "located"; readonly decision: Decision<readonly MappedOffset[]> }
  /** The job's end: `undefined` where the metered module was not needed. */
  | { readonly kind: "done"; readonly decision: Decision<MeteredBytes | undefined> };

/** A metered module as the sandbox takes it. */
export interface MeteredBytes {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Names of the exports that hold the fuel, and of the start function. */
  readonly fuel: { readonly global: string; readonly start?: string };
  /** What an operator should know of it. */
  readonly warnings: readonly string[];
}
