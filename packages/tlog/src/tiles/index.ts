/** @module The door @glovebox/tlog/tiles. C2SP tlog-tiles: where hashes and entries lie, and how. */
export { formatBundle, splitBundle } from "./entry-bundle.ts";
export { parseTilePath, partialPlaces, TILE_WIDTH, tilePath, widthAtLevel } from "./tile-path.ts";
export type { TileLevel, TilePlace } from "./tile-path.ts";
