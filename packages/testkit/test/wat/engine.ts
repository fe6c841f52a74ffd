/**
 * @module Node's WebAssembly engine with the few types that the tests need: without the DOM library
 * TypeScript knows no `WebAssembly`.
 */
interface WebAssemblyEngine {
  validate(bytes: Uint8Array): boolean;
  instantiate(bytes: Uint8Array): Promise<{ instance: { exports: Record<string, unknown> } }>;
}

export const engine: WebAssemblyEngine = (
  globalThis as unknown as { readonly WebAssembly: WebAssemblyEngine }
).WebAssembly;
