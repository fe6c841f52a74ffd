/** @module The manifest of a package for the commands: the only file here that knows its validator. */
import { parseManifest, type PluginManifest } from "@glovebox/manifest-validator";

export type { PluginManifest } from "@glovebox/manifest-validator";

/** The manifest's name in a package. */
export const MANIFEST_FILE = "plugin.yaml";

/** One thing that is wrong, with its place. */
export interface FoundProblem {
  readonly code: string;
  readonly message: string;
  readonly level: "error" | "warning" | "note";
  /** Path in the package, or of the module. */
  readonly file: string;
  /** From 1; absent where a file has no lines. */
  readonly line?: number;
  readonly column?: number;
  /** From 0; for binary files. */
  readonly byteOffset?: number;
}

/** A manifest as far as it could be read. */
export interface InspectedManifest {
  readonly manifest: PluginManifest | null;
  readonly problems: readonly FoundProblem[];
}

/** Reads the manifest of a package. */
export function inspectManifest(files: ReadonlyMap<string, Uint8Array>): InspectedManifest {
  const bytes = files.get(MANIFEST_FILE);
  if (bytes === undefined) {
    const message = `the package has no ${MANIFEST_FILE} at its top`;
    const problem = { code: "RUNTIME_PACKAGE_FILE_MISSING", message, file: MANIFEST_FILE };
    return { manifest: null, problems: [{ ...problem, level: "error" }] };
  }
  const result = parseManifest(bytes);
  const found = (level: FoundProblem["level"], list: typeof result.warnings): FoundProblem[] =>
    list.map(({ code, message, line, column }) => ({
      code,
      message,
      level,
      file: MANIFEST_FILE,
      line,
      column,
    }));
  return {
    manifest: result.ok ? result.manifest : null,
    problems: [
      ...(result.ok ? [] : found("error", result.problems)),
      ...found("warning", result.warnings),
    ],
  };
}
