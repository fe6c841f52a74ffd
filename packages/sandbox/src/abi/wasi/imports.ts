/**
 * @module The namespace `wasi_snapshot_preview1`: our own implementation, since Node's lets programs
 * out of their directories. What needs nobody's permission is done here, in the plugin's process:
 * arguments, environment, clocks, waiting, the standard streams, numbers of descriptors and offsets.
 * What does need it is asked of the host, call by call: files and random bytes.
 */
import type { InstantiateSpec } from "../../protocol/instantiate-spec.ts";
import type { RunnerConfiguration } from "../../protocol/runner-configuration.ts";
import type { HostBridge } from "../abi.ts";
import type { Toll } from "../fuel.ts";
import { Clocks } from "./clocks.ts";
import { Descriptors } from "./descriptors.ts";
import { ERRNO, WasiError } from "./errno.ts";
import { fdCalls } from "./fd-calls.ts";
import { FileClient } from "./file-client.ts";
import type { GuestMemory } from "./guest-memory.ts";
import { pathCalls } from "./path-calls.ts";
import { pollCalls } from "./poll-calls.ts";
import { processCalls } from "./process-calls.ts";
import type { ProcessExit } from "./process-exit.ts";
import { socketCalls } from "./socket-calls.ts";
import { Streams } from "./streams.ts";
import type { WasiCalls, WasiState } from "./wasi-context.ts";

/** The namespace's name. */
export const WASI_MODULE = "wasi_snapshot_preview1";

const encoder = new TextEncoder();

/** WASI for the modules of one instance. */
export interface Wasi {
  /** The imports of one module, whose memory is attached when it is known. */
  importsFor(memory: GuestMemory): Record<string, WebAssembly.ImportValue>;
  /** Begins a call: its input, and descriptors as at the start. */
  begin(input: Uint8Array): void;
  /** Ends a call: what was logged without a line feed goes out. */
  end(): void;
  /** What the call wrote to standard output, as a view. */
  output(): Uint8Array;
  /** Set when the program has ended itself during the call. */
  readonly exit: ProcessExit | undefined;
}

/** How WASI is offered by an ABI. */
export interface WasiOptions {
  /** Standard output is a log, since the call's output travels elsewhere. */
  readonly logsOutput: boolean;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** What calls and the bytes that they move cost. */
  readonly toll: Toll;
}

/** Makes WASI for one instance. */
export function createWasi(
  spec: InstantiateSpec,
  { outputBytes }: Pick<RunnerConfiguration, "outputBytes">,
  host: HostBridge,
  { args, environment, logsOutput, toll }: WasiOptions,
): Wasi {
  const state: WasiState = {
    args: args.filter(isText).map(encoded),
    environment: Object.entries(environment)
      .filter(
        ([name, value]) => name !== "" && !name.includes("=") && isText(name) && isText(value),
      )
      .map(([name, value]) => encoded(`${name}=${value}`)),
    clocks: new Clocks(spec.clockResolutionNs),
    descriptors: new Descriptors(spec.folders),
    streams: new Streams(host, outputBytes, logsOutput),
    files: new FileClient(host),
    random: new Uint8Array(0),
    exit: undefined,
  };
  return {
    importsFor(memory) {
      const context = { memory, state, host };
      return answering(state, toll, {
        ...processCalls(context),
        ...fdCalls(context),
        ...pathCalls(context),
        ...pollCalls(context),
        ...socketCalls(context),
      });
    },
    begin(input) {
      state.exit = undefined;
      state.descriptors.reset();
      state.streams.reset(input);
    },
    end: () => state.streams.flush(),
    output: () => state.streams.output(),
    get exit() {
      return state.exit;
    },
  };
}

/** Texts end with a zero byte there, and so can hold none. */
function isText(text: string): boolean {
  return !text.includes("\0");
}

function encoded(text: string): Uint8Array {
  return encoder.encode(`${text}\0`);
}

/** Turns what a call throws into its number; what is no WASI error ends the plugin's call. */
function answering(
  state: WasiState,
  toll: Toll,
  calls: WasiCalls,
): Record<string, WebAssembly.ImportValue> {
  return Object.fromEntries(
    Object.entries(calls).map(([name, run]) => [
      name,
      (...args: never[]): number => {
        toll.call();
        // A module may catch what ends it; it then finds nothing that it could do.
        if (state.exit !== undefined) throw state.exit;
        try {
          run(...args);
          return ERRNO.SUCCESS;
        } catch (error) {
          if (error instanceof WasiError) return error.errno;
          throw error;
        }
      },
    ]),
  );
}
