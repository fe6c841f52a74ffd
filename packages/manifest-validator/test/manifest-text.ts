/** @module The smallest valid manifest, and ways to change one thing in it. */
import {
  type ManifestErrorCode,
  type ManifestResult,
  parseManifest,
} from "@glovebox/manifest-validator";

/** One line of a valid manifest's plugin block. */
export const PLUGIN =
  "plugin: { id: echo, version: 0.1.0, types: [auth], abi: flat, wasm: a.wasm }\n";

/** A valid plugin block with members replaced or added, as JSON, which is YAML. */
export function withPlugin(members: Readonly<Record<string, unknown>>, rest = ""): string {
  const plugin = { id: "echo", version: "0.1.0", types: ["auth"], abi: "flat", wasm: "a.wasm" };
  return `plugin: ${JSON.stringify({ ...plugin, ...members })}\n${rest}`;
}

/** A manifest with one function whose input has the given schema. */
export function withSchema(schema: unknown): string {
  return `${PLUGIN}functions: { f: { input: ${JSON.stringify(schema)} } }\n`;
}

/** The codes of a manifest's problems; none for a valid one. */
export function codesOf(source: string | Uint8Array): ManifestErrorCode[] {
  return codesIn(parseManifest(source));
}

/** The codes of a result's problems. */
export function codesIn(result: ManifestResult): ManifestErrorCode[] {
  return result.ok ? [] : result.problems.map((problem) => problem.code);
}
