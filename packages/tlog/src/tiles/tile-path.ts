/**
 * @module Where the parts of a log lie (C2SP tlog-tiles): `tile/<level>/<index>[.p/<width>]` for
 * hashes and `tile/entries/<index>[.p/<width>]` for entries, the index in groups of three digits of
 * which all but the last begin with x.
 */
import { TlogError } from "../errors/tlog-error.ts";

/** Levels of the tree in one tile. */
export const TILE_HEIGHT = 8;

/** Hashes of a full tile, and entries of a full bundle. */
export const TILE_WIDTH = 256;

/** `"entries"` names the bundles beside the tiles of level 0. */
export type TileLevel = number | "entries";

/** Hashes in the partial tile at a level of a tree of `size` entries; 0 if there is none. */
export function widthAtLevel(size: number, level: number): number {
  return Math.floor(size / TILE_WIDTH ** level) % TILE_WIDTH;
}

/**
 * Path of a tile or a bundle below the log's prefix. A width of 256 (the default) means the full
 * one.
 *
 * @throws {@link TlogError} (`TLOG_OPTION`)
 *
 * @example
 * ```ts
 * tilePath("entries", 1234067); // "tile/entries/x001/x234/067"
 * ```
 */
export function tilePath(level: TileLevel, index: number, width: number = TILE_WIDTH): string {
  const levelIsGood =
    level === "entries" || (Number.isSafeInteger(level) && level >= 0 && level <= 63);
  const widthIsGood = Number.isSafeInteger(width) && width >= 1 && width <= TILE_WIDTH;
  if (!levelIsGood || !widthIsGood || !Number.isSafeInteger(index) || index < 0) {
    const message = `no tile has level ${level}, index ${index} and width ${width}`;
    throw new TlogError("TLOG_OPTION", { message });
  }
  const groups: string[] = [];
  for (let rest = index; groups.length === 0 || rest > 0; rest = Math.floor(rest / 1000)) {
    const digits = String(rest % 1000).padStart(3, "0");
    groups.unshift(groups.length === 0 ? digits : `x${digits}`);
  }
  const suffix = width === TILE_WIDTH ? "" : `.p/${width}`;
  return `tile/${level}/${groups.join("/")}${suffix}`;
}

/** A tile or bundle that belongs to a tree. */
export interface TilePlace {
  readonly level: TileLevel;
  readonly index: number;
  readonly width: number;
}

const TILE_PATH = /^tile\/(entries|0|[1-9]\d?)\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/;

/** Reads what {@link tilePath} wrote, and nothing else; the text may come from anyone. */
export function parseTilePath(text: string): TilePlace | undefined {
  const [, rawLevel = "", groups = "", rawWidth] = TILE_PATH.exec(text) ?? [];
  const index = Number(groups.replaceAll(/[x/]/g, ""));
  const place = {
    level: rawLevel === "entries" ? rawLevel : Number(rawLevel),
    index,
    width: rawWidth === undefined ? TILE_WIDTH : Number(rawWidth),
  } as const;
  const isOurs = groups !== "" && Number.isSafeInteger(index) && place.width <= TILE_WIDTH;
  return isOurs &&
    (place.level === "entries" || place.level <= 63) &&
    tilePath(place.level, index, place.width) === text
    ? place
    : undefined;
}

/** The tiles at the right edge of a tree, and the last bundle: what is not full. */
export function partialPlaces(size: number): readonly TilePlace[] {
  const places: TilePlace[] = [];
  const bundle = widthAtLevel(size, 0);
  if (bundle > 0)
    places.push({ level: "entries", index: Math.floor(size / TILE_WIDTH), width: bundle });
  for (let level = 0; TILE_WIDTH ** level <= size; level += 1) {
    const width = widthAtLevel(size, level);
    const index = Math.floor(size / TILE_WIDTH ** (level + 1));
    if (width > 0) places.push({ level, index, width });
  }
  return places;
}
