/** @module The ten real modules. */
import { jpeg, oniguruma, quickJs, sqlJs, treeSitter, webp, zstd } from "./c-modules.ts";
import type { RealCase } from "./case.ts";
import { dprint, esbuild, png } from "./rust-and-go-modules.ts";

/** One of each kind of program that people compile to WebAssembly. */
export const REAL_CASES: readonly RealCase[] = [
  sqlJs,
  quickJs,
  oniguruma,
  treeSitter,
  zstd,
  jpeg,
  webp,
  png,
  dprint,
  esbuild,
];
