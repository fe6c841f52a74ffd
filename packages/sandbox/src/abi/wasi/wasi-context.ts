/** @module What the WASI calls of one module share: its memory, and the state of the running call. */
import type { HostBridge } from "../abi.ts";
import type { Clocks } from "./clocks.ts";
import type { Descriptors } from "./descriptors.ts";
import type { FileClient } from "./file-client.ts";
import type { GuestMemory } from "./guest-memory.ts";
import type { ProcessExit } from "./process-exit.ts";
import type { Streams } from "./streams.ts";

/** State of one instance. */
export interface WasiState {
  /** Each in UTF-8, with a zero byte behind it. */
  readonly args: readonly Uint8Array[];
  /** As `args`, `NAME=value` each. */
  readonly environment: readonly Uint8Array[];
  readonly clocks: Clocks;
  readonly descriptors: Descriptors;
  readonly streams: Streams;
  readonly files: FileClient;
  /** Random bytes that were not handed out yet. */
  random: Uint8Array;
  /** Set when the program has ended; nothing it calls then has an effect. */
  exit: ProcessExit | undefined;
}

/** What the calls of one module work with. */
export interface WasiContext {
  readonly memory: GuestMemory;
  readonly state: WasiState;
  readonly host: HostBridge;
}

/**
 * Calls by name. Parameters are what WebAssembly passes: i32 as a number with a sign, i64 as a bigint;
 * a call that returns has succeeded, one that throws a WASI error has failed with its number.
 */
// oxlint-disable-next-line no-explicit-any -- each call has its own parameters, checked by the engine
export type WasiCalls = Readonly<Record<string, (...args: any[]) => void>>;
