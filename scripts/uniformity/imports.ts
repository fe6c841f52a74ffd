/**
 * @module The import specifiers of a TypeScript file, by pattern. Formatted code starts its static
 * imports in the first column, which tells them from examples in comments and strings.
 */

const STATIC = /^(?:import|export)\s(?:[^"';]*?\bfrom\s*)?["']([^"'\n]+)["']/gm;
const DYNAMIC = /^(?!\s*(?:\*|\/\/)).*?\bimport(?:\.meta\.resolve)?\(\s*["']([^"'\n]+)["']/gm;

/** Specifiers as written: static imports and re-exports first, then `import()` and `import.meta.resolve()`. */
export function importsOf(text: string): readonly string[] {
  return [STATIC, DYNAMIC].flatMap((pattern) =>
    [...text.matchAll(pattern)].map((match) => match[1] ?? ""),
  );
}

/** The package that a bare specifier belongs to: `@glovebox/core` of `@glovebox/core/json`. */
export function packageOf(specifier: string): string | undefined {
  if (/^[.#]|^node:/.test(specifier)) return undefined;
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}
