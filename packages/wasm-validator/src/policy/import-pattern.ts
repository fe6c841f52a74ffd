/**
 * @module Import patterns: globs over `MODULE.NAME`. A module's name and an import's name may hold
 * any character, dots and slashes too, so one glob over the joined text would let a star run across
 * the dot: `env.*` would also allow the module `env.evil`. Therefore a pattern is split at its last
 * dot (after braces are written out) and each half must match its half.
 */
import { WasmError } from "../errors.ts";
import type { TypedImport } from "../facts/names.ts";
import { MAX_IMPORT_PATTERNS } from "../limits.ts";
import { compileGlob, expandBraces } from "./name-glob.ts";

/** A pattern that only allows imports of one type. */
export interface ImportPattern {
  readonly pattern: string;
  /** The type in the text format, such as `(func (param i32) (result i32))`. Default: any. */
  readonly type?: string;
}

/** Answers whether an import is allowed by one of the patterns. */
export type ImportMatcher = (entry: TypedImport) => boolean;

/**
 * Compiles patterns. In each half `*` and `?` stop at a slash, `**` does not, `[…]` is a set and
 * `{a,b}` an alternative; there is no negation, comment or extended glob.
 *
 * @throws {@link WasmError} (`WASM_POLICY`) for a pattern that is not `MODULE.NAME`.
 */
export function compileImportPatterns(
  patterns: readonly (string | ImportPattern)[],
): ImportMatcher {
  if (!Array.isArray(patterns)) throw misuse("allowedImportPatterns takes an array of patterns");
  const matchers = patterns.flatMap((entry: string | ImportPattern) =>
    compilePattern(typeof entry === "string" ? { pattern: entry } : entry),
  );
  if (matchers.length > MAX_IMPORT_PATTERNS) {
    throw misuse(`there are more than ${MAX_IMPORT_PATTERNS} import patterns`);
  }
  return (entry) => matchers.some((matches) => matches(entry));
}

function compilePattern(entry: ImportPattern): ImportMatcher[] {
  if (typeof entry !== "object" || entry === null) {
    throw misuse("an import pattern is a text, or an object with pattern and type");
  }
  const { pattern, type } = entry;
  if (type !== undefined && !/^\((?:func|table|memory|global|tag)\b.*\)$/.test(type)) {
    throw misuse(`a type is written as (func (param i32) (result i32)); received ${type}`);
  }
  return expandBraces("allowedImportPatterns", pattern).map((single) => {
    const dot = single.lastIndexOf(".");
    if (dot < 1 || dot === single.length - 1) {
      throw misuse(`an import pattern is MODULE.NAME, such as env.log_*; received ${pattern}`);
    }
    const isModule = compileGlob(single.slice(0, dot));
    const isName = compileGlob(single.slice(dot + 1));
    return (found) =>
      isModule(found.module) && isName(found.name) && (type === undefined || found.type === type);
  });
}

function misuse(message: string): WasmError {
  return new WasmError("WASM_POLICY", { message });
}
