/** @module The flat echo module, instantiated and called by hand: what the peers do. */

/** The part of the WebAssembly JavaScript Interface that is used here; Node's types have none of it. */
interface Engine {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
}

/** The exports of echo-flat.wat. */
export interface EchoExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  alloc(length: number): number;
  echo(at: number, length: number): [number, number];
}

/** Compiles and instantiates the module in this thread. */
export function instantiateEcho(bytes: Uint8Array): EchoExports {
  const engine = (globalThis as unknown as { WebAssembly: Engine }).WebAssembly;
  return new engine.Instance(new engine.Module(bytes)).exports as EchoExports;
}

/** One call: bytes in, an owned copy out. */
export function callEcho(plugin: EchoExports, input: Uint8Array): Uint8Array<ArrayBuffer> {
  const at = plugin.alloc(input.length);
  new Uint8Array(plugin.memory.buffer, at, input.length).set(input);
  const [outputAt, length] = plugin.echo(at, input.length);
  return new Uint8Array(plugin.memory.buffer, outputAt, length).slice();
}
