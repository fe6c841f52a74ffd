/**
 * @module Goes the way of a plugin once with a module of our own while the runner boots, so that the
 * first real load finds engine, code and memory warm (bench `calls`: `cold_start_vs_worker`).
 * Nothing of it is kept.
 */
import { FRAME } from "../protocol/frame-table.ts";
import { PluginHolder } from "./commands.ts";
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
  const holder = new PluginHolder(
    () => new Uint8Array(0),
    () => undefined,
  );
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
  const run = (type: number, payload: Uint8Array): unknown =>
    holder.run({ type, argument: 0, callId: 0, payload });
  run(FRAME.CONFIGURE, json(CONFIGURATION));
  run(FRAME.VALIDATE, warmUpPlugin);
  run(FRAME.LOAD, new Uint8Array(0));
  run(FRAME.INSTANTIATE, json(spec));
  for (let call = 0; call < CALLS; call++) run(FRAME.CALL, warmUpPlugin.subarray(0, 8));
}
