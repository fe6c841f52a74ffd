/**
 * @module Goes the way of a plugin once with a module of our own while the runner boots, from the
 * frames that ask for it to those that answer, so that the first real load finds engine, code and
 * memory warm (bench `calls`: `cold_start_vs_worker`). Nothing of it is kept.
 */
import { encodeHeader, FRAME, type FrameType, HEADER_BYTES } from "../protocol/frame-table.ts";
import { BlockingChannel, HostGone, type Transport } from "./blocking-channel.ts";
import { serve } from "./serve.ts";
import warmUpPlugin from "./warm-up.wat";

const CALLS = 3;
/** Of the engine's flag `--expose-gc`. */
const { gc: collectGarbage } = globalThis as {
  gc?: (how: Readonly<Record<string, string>>) => void;
};
const encoder = new TextEncoder();
const json = (value: unknown): Uint8Array => encoder.encode(JSON.stringify(value));

/** Limits that bind nobody: the plugin's own follow in its CONFIGURE. */
const CONFIGURATION = {
  memoryBytes: 4 * 2 ** 30,
  tableElements: 10_000_000,
  outputBytes: 1_024,
  instructions: 1,
  dataBytes: null,
};

/** Clears away what booting has left, and validates, loads, instantiates and calls a plugin of ours. */
export function warmUp(): void {
  // Gives pages back to the kernel, which an ordinary collection does not (bench `calls`: `pss_mb_per_plugin`).
  collectGarbage?.({ type: "major", execution: "sync", flavor: "last-resort" });
  const spec = {
    abi: "flat",
    modules: [{ name: "main" }],
    freshInstances: false,
    hostFunctions: [],
    config: {},
    folders: [],
    args: [],
    clockResolutionNs: 1,
  };
  const load = [
    frame(FRAME.CONFIGURE, json(CONFIGURATION)),
    frame(FRAME.VALIDATE, warmUpPlugin),
    frame(FRAME.LOAD, new Uint8Array(0)),
    frame(FRAME.INSTANTIATE, json(spec)),
  ];
  const call = frame(FRAME.CALL, warmUpPlugin.subarray(0, 8));
  const input = [Buffer.concat(load), ...Array<Uint8Array>(CALLS).fill(call)];
  try {
    serve(new BlockingChannel(from(input)), {
      limitData: () => undefined,
      beforeCommand: () => undefined,
    });
  } catch (error) {
    if (!(error instanceof HostGone)) throw error;
  }
}

function frame(type: FrameType, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  encodeHeader(bytes, 0, type, 0, 0, payload.length);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

/** One piece for each read, then the end; what is written goes nowhere. */
function from(input: readonly Uint8Array[]): Transport {
  let next = 0;
  return {
    read(target, at) {
      const piece = input[next++] ?? new Uint8Array(0);
      target.set(piece, at);
      return piece.length;
    },
    write: (_bytes, _at, length) => length,
  };
}
