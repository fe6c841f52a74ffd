/** @module WebAssembly text, compiled at build (tsup.config.ts). */
declare module "*.wat" {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
