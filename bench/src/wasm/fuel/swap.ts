/**
 * @module Lets a library load its module as it always does, and has it get the metered one: whatever
 * it compiles or instantiates is compared with the original's bytes, for this thread only.
 */
import type { MeteredModule } from "@glovebox/wasm-metering";

import { fuel } from "./metered.ts";

type Source = ArrayBuffer | ArrayBufferView<ArrayBuffer>;
interface Instantiated {
  readonly module: WebAssembly.Module;
  readonly instance: WebAssembly.Instance;
}
/** The part of the namespace that compiles in the background. */
interface Loader {
  compile: (this: void, source: Source) => Promise<WebAssembly.Module>;
  instantiate: (
    this: void,
    source: Source | WebAssembly.Module,
    imports: WebAssembly.Imports,
  ) => Promise<Instantiated | WebAssembly.Instance>;
}

/** From here on `original` is compiled to `module`. */
export function swapModule(original: Uint8Array, module: MeteredModule): void {
  const { Module, Instance } = WebAssembly;
  const { instantiate, compile } = WebAssembly as unknown as Loader;
  const compiled = new WeakSet<object>();
  const swap = (source: Source): Uint8Array<ArrayBuffer> => {
    const bytes = ArrayBuffer.isView(source)
      ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
      : new Uint8Array(source);
    if (Buffer.compare(bytes, original) !== 0) return bytes;
    return module.bytes;
  };
  const note = (made: WebAssembly.Module, source: Source): WebAssembly.Module => {
    if (source === module.bytes) compiled.add(made);
    return made;
  };
  // Loaders of shared libraries refuse an export that they cannot relocate: the fuel is hidden.
  const filled = (made: WebAssembly.Instance, from: WebAssembly.Module): WebAssembly.Instance => {
    if (!compiled.has(from)) return made;
    const { [module.fuelExport]: _, ...exports } = fuel(made, module).exports;
    return Object.create(Instance.prototype, {
      exports: { value: exports },
    }) as WebAssembly.Instance;
  };
  const patched = WebAssembly as unknown as Record<string, unknown>;
  patched["Module"] = new Proxy(Module, {
    construct(target, [source]: [Source]) {
      const bytes = swap(source);
      return note(new target(bytes), bytes);
    },
  });
  patched["Instance"] = new Proxy(Instance, {
    construct: (target, [from, imports]: [WebAssembly.Module, WebAssembly.Imports]) =>
      filled(new target(from, imports), from),
  });
  patched["compile"] = async (source: Source) => {
    const bytes = swap(source);
    return note(await compile(bytes), bytes);
  };
  patched["instantiate"] = async (
    source: Source | WebAssembly.Module,
    imports: WebAssembly.Imports,
  ) => {
    const from = source instanceof Module ? source : swap(source);
    const made = await instantiate(from, imports);
    if (!("module" in made)) return filled(made, source as WebAssembly.Module);
    note(made.module, from as Source);
    return { module: made.module, instance: filled(made.instance, made.module) };
  };
  delete patched["instantiateStreaming"];
  delete patched["compileStreaming"];
}
