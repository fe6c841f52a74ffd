/**
 * @module Import patterns: globs over `MODULE.NAME`. A module's name and an import's name may hold
 * any character, dots and slashes too, so one glob over the joined text would let a star run across
 * the dot: `env.*` would also allow the module `env.evil`. Therefore a pattern is split at its last
 * dot (after braces are written out) and each half must match its half.
 */
import { minimatch } from "minimatch";

import { WasmError } from "../errors.ts";
import { MAX_IMPORT_PATTERNS, MAX_PATTERN_CHARACTERS } from "../limits.ts";

/** Answers whether an import is allowed by one of the patterns. */
export type ImportMatcher = (module: string, name: string) => boolean;

/**
 * Compiles patterns. In each half `*` and `?` stop at a slash, `**` does not, `[…]` is a set and
 * `{a,b}` an alternative; there is no negation, comment or extended glob.
 *
 * @throws {@link WasmError} (`WASM_POLICY`) for a pattern that is not `MODULE.NAME`.
 */
export function compileImportPatterns(patterns: readonly string[]): ImportMatcher {
  if (!Array.isArray(patterns)) throw misuse("allowedImportPatterns takes an array of patterns");
  const compiled = patterns.flatMap((pattern: unknown) => compilePattern(pattern));
  if (compiled.length > MAX_IMPORT_PATTERNS) {
    throw misuse(`there are more than ${MAX_IMPORT_PATTERNS} import patterns`);
  }
  return (module, name) => compiled.some((pattern) => pattern.module(module) && pattern.name(name));
}

const OPTIONS = {
  // A leading dot means nothing in an import's name.
  dot: true,
  nonegate: true,
  nocomment: true,
  noext: true,
  nobrace: true,
  // A name is not a path: a/../b and a//b are names of their own.
  optimizationLevel: 0,
  preserveMultipleSlashes: true,
  platform: "linux",
} as const;

interface CompiledPattern {
  readonly module: (text: string) => boolean;
  readonly name: (text: string) => boolean;
}

function compilePattern(pattern: unknown): CompiledPattern[] {
  if (typeof pattern !== "string" || pattern.length > MAX_PATTERN_CHARACTERS) {
    throw misuse(`an import pattern is a text of at most ${MAX_PATTERN_CHARACTERS} characters`);
  }
  const expanded = minimatch.braceExpand(pattern, { braceExpandMax: MAX_IMPORT_PATTERNS + 1 });
  return expanded.map((single) => {
    const dot = single.lastIndexOf(".");
    if (dot < 1 || dot === single.length - 1) {
      throw misuse(`an import pattern is MODULE.NAME, such as env.log_*; received ${pattern}`);
    }
    return { module: compileHalf(single.slice(0, dot)), name: compileHalf(single.slice(dot + 1)) };
  });
}

function compileHalf(glob: string): (text: string) => boolean {
  const slashes = countSlashes(glob);
  const crosses = glob.includes("**");
  const matches = minimatch.filter(glob, OPTIONS);
  // minimatch takes a/ for a, as paths go; here they are two names.
  return (text) => (crosses || countSlashes(text) === slashes) && matches(text);
}

function countSlashes(text: string): number {
  return text.split("/").length - 1;
}

function misuse(message: string): WasmError {
  return new WasmError("WASM_POLICY", { message });
}
