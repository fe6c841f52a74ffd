/** @module Modules written in Rust (an image codec, a formatter) and Go (a bundler). */
import {
  type Encoder,
  packages,
  readPackage,
  type RealCase,
  someImage,
  someSource,
} from "./case.ts";

export const png: RealCase = {
  name: "jsquash-png",
  file: "@jsquash/png/codec/pkg/squoosh_png_bg.wasm",
  async prepare() {
    const codec = (await import("@jsquash/png/encode.js")) as unknown as Encoder;
    await codec.init(new WebAssembly.Module(readPackage(this.file)));
    const image = someImage(256, 256);
    return async () => new Uint8Array(await codec.default(image));
  },
};

interface Dprint {
  createFromBuffer(bytes: Uint8Array): {
    setConfig(global: object, plugin: object): void;
    formatText(request: { filePath: string; fileText: string }): string;
  };
}

export const dprint: RealCase = {
  name: "dprint-typescript",
  file: "@dprint/typescript/plugin.wasm",
  prepare() {
    const formatter = (packages("@dprint/formatter") as Dprint).createFromBuffer(
      readPackage(this.file),
    );
    formatter.setConfig({}, {});
    const fileText = someSource(4);
    return Promise.resolve(() => formatter.formatText({ filePath: "a.ts", fileText }));
  },
};

interface Esbuild {
  initialize(options: { wasmModule: WebAssembly.Module; worker: boolean }): Promise<void>;
  transform(source: string, options: object): Promise<{ code: string }>;
}

export const esbuild: RealCase = {
  name: "esbuild-wasm",
  file: "esbuild-wasm/esbuild.wasm",
  async prepare() {
    // It is made for browsers, and looks there for what is global.
    Object.defineProperty(globalThis, "self", { value: globalThis });
    const library = packages("esbuild-wasm/lib/browser.js") as Esbuild;
    const wasmModule = new WebAssembly.Module(readPackage(this.file));
    await library.initialize({ wasmModule, worker: false });
    const source = someSource(20);
    return async () =>
      (await library.transform(source, { minify: true, target: "es2018", loader: "ts" })).code;
  },
};
