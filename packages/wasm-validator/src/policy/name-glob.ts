/**
 * @module Globs over one name. Names are no paths: `a/../b` and `a//b` are names of their own, a
 * leading dot means nothing, and there is no negation, comment or extended glob.
 */
import { minimatch } from "minimatch";

import { WasmError } from "../errors.ts";
import { MAX_IMPORT_PATTERNS, MAX_PATTERN_CHARACTERS } from "../limits.ts";

const OPTIONS = {
  dot: true,
  nonegate: true,
  nocomment: true,
  noext: true,
  nobrace: true,
  optimizationLevel: 0,
  preserveMultipleSlashes: true,
  platform: "linux",
} as const;

/** Compiles a glob without braces: `*` and `?` stop at a slash, `**` does not. */
export function compileGlob(glob: string): (name: string) => boolean {
  const slashes = countSlashes(glob);
  const crosses = glob.includes("**");
  const matches = minimatch.filter(glob, OPTIONS);
  // minimatch takes a/ for a, as paths go; here they are two names.
  return (name) => (crosses || countSlashes(name) === slashes) && matches(name);
}

/**
 * Writes out the braces of a pattern.
 *
 * @throws {@link WasmError} (`WASM_POLICY`) for what is no text, or too long.
 */
export function expandBraces(option: string, pattern: unknown): readonly string[] {
  if (typeof pattern !== "string" || pattern.length > MAX_PATTERN_CHARACTERS) {
    throw new WasmError("WASM_POLICY", {
      message: `a pattern of ${option} is a text of at most ${MAX_PATTERN_CHARACTERS} characters`,
    });
  }
  return minimatch.braceExpand(pattern, { braceExpandMax: MAX_IMPORT_PATTERNS + 1 });
}

/**
 * Compiles globs of which one has to match.
 *
 * @throws {@link WasmError} (`WASM_POLICY`)
 */
export function compileNameGlobs(
  option: string,
  patterns: readonly string[],
): (name: string) => boolean {
  if (!Array.isArray(patterns)) {
    throw new WasmError("WASM_POLICY", { message: `${option} takes an array of patterns` });
  }
  const globs = patterns.flatMap((pattern: unknown) => expandBraces(option, pattern));
  if (globs.length > MAX_IMPORT_PATTERNS) {
    throw new WasmError("WASM_POLICY", {
      message: `${option} has more than ${MAX_IMPORT_PATTERNS} patterns`,
    });
  }
  const compiled = globs.map(compileGlob);
  return (name) => compiled.some((matches) => matches(name));
}

function countSlashes(text: string): number {
  return text.split("/").length - 1;
}
