/** @module Names of what metering exports: from the digest, so that they are the same everywhere. */
import type { Sha256 } from "@glovebox/core/ids";
import type { WasmModule } from "@glovebox/wasm-binary";

/** Names that the original does not export. */
export interface FuelNames {
  readonly fuel: string;
  readonly start: string | undefined;
  readonly depth: string | undefined;
}

const DIGITS = 16;

/** Chooses the names. A module cannot know its own digest, but a collision is still looked for. */
export function fuelNames(module: WasmModule, sha256: Sha256, countsDepth: boolean): FuelNames {
  const taken = new Set<string>();
  for (const { name } of module.exports) if (name.startsWith("glovebox:")) taken.add(name);
  const free = (what: string): string => {
    let name = `glovebox:${what}:${sha256.slice(0, DIGITS)}`;
    while (taken.has(name)) name += "_";
    return name;
  };
  return {
    fuel: free("fuel"),
    start: module.start === undefined ? undefined : free("start"),
    depth: countsDepth ? free("depth") : undefined,
  };
}
