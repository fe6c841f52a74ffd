import {
  formatBundle,
  parseTilePath,
  partialPlaces,
  splitBundle,
  tilePath,
  widthAtLevel,
} from "@glovebox/tlog/tiles";
import fc from "fast-check";
import { expect, test } from "vitest";

test("paths have the form of the examples in tlog-tiles", () => {
  expect(tilePath(0, 1234067)).toBe("tile/0/x001/x234/067");
  expect(tilePath("entries", 273, 112)).toBe("tile/entries/273.p/112");
  expect(tilePath(3, 0)).toBe("tile/3/000");
  expect(tilePath(63, 1000)).toBe("tile/63/x001/000");
});

test.each([
  [-1, 0, 256],
  [64, 0, 256],
  [0, -1, 256],
  [0, 1.5, 256],
  [0, 0, 0],
  [0, 0, 257],
])("refuses level %d, index %d, width %d", (level, index, width) => {
  expect(() => tilePath(level, index, width)).toThrow("no tile has");
});

test("reads each path that it writes, and no other spelling", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.nat(63), fc.constant("entries" as const)),
      fc.nat(Number.MAX_SAFE_INTEGER),
      fc.integer({ min: 1, max: 256 }),
      (level, index, width) => {
        expect(parseTilePath(tilePath(level, index, width))).toEqual({ level, index, width });
      },
    ),
  );
  const wrong = [
    "",
    "tile/0/1",
    "tile/00/000",
    "tile/0/x000/001",
    "tile/64/000",
    "tile/0/000.p/0",
    "tile/0/000.p/256",
    "tile/0/000.p/300",
    "tile/0/001/x000",
    "tile/0/000/",
    "/tile/0/000",
    "tile/0/../0/000",
    "tile/entries/x1/000",
    "tile/0/000\n",
  ];
  expect(wrong.filter((path) => parseTilePath(path) !== undefined)).toEqual([]);
});

test("a tree of 70,000 has the partial tiles of the example", () => {
  expect(partialPlaces(70_000)).toEqual([
    { level: "entries", index: 273, width: 112 },
    { level: 0, index: 273, width: 112 },
    { level: 1, index: 1, width: 17 },
    { level: 2, index: 0, width: 1 },
  ]);
  expect(partialPlaces(0)).toEqual([]);
  expect(partialPlaces(256)).toEqual([{ level: 1, index: 0, width: 1 }]);
  expect(widthAtLevel(70_000, 0)).toBe(112);
});

test("splits what was bundled, whatever the entries", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 600 }), { maxLength: 40 }), (entries) => {
      const bundle = formatBundle(entries);
      const split = splitBundle(bundle, entries.length);
      if (!split.allowed) throw new Error(split.reason);
      const read = entries.map((_, at) =>
        bundle.subarray(split.value[at], (split.value[at + 1] ?? 0) - 2),
      );
      expect(read.map((bytes) => Uint8Array.from(bytes))).toEqual(entries);
      expect(splitBundle(bundle, entries.length + 1).allowed).toBe(false);
      expect(splitBundle(bundle.subarray(0, -1), entries.length).allowed).toBe(
        entries.length === 0,
      );
      expect(splitBundle(Buffer.concat([bundle, Buffer.of(0)]), entries.length).allowed).toBe(
        false,
      );
    }),
  );
});

test("keeps entries of 0 and 65,535 bytes and refuses 65,536", () => {
  const largest = Buffer.alloc(65_535, 1);
  const bundle = formatBundle([Buffer.alloc(0), largest]);
  expect(bundle).toHaveLength(2 + 2 + 65_535);
  expect(splitBundle(bundle, 2).allowed).toBe(true);
  expect(() => formatBundle([Buffer.alloc(65_536)])).toThrow(RangeError);
});

test("splitting anything never throws", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(256), (bytes, count) => {
      const split = splitBundle(bytes, count);
      expect(split.allowed ? "TLOG_TILE" : split.code).toBe("TLOG_TILE");
    }),
  );
});
