import { BoundedMap } from "@glovebox/core/flow";
import fc from "fast-check";
import { expect, it } from "vitest";

it("evicts the least recently used entry and hands it back", () => {
  const map = new BoundedMap<string, number>({ capacity: 2 });
  expect(map.set("a", 1)).toBeUndefined();
  expect(map.set("b", 2)).toBeUndefined();
  expect(map.get("a")).toBe(1);
  expect(map.set("c", 3)).toEqual(["b", 2]);
  expect([...map]).toEqual([
    ["a", 1],
    ["c", 3],
  ]);
});

it("counts setting as use, and looking without taking as none", () => {
  const map = new BoundedMap<string, number>({ capacity: 2 });
  map.set("a", 1);
  map.set("b", 2);
  map.set("a", 10);
  expect(map.has("b")).toBe(true);
  expect(map.set("c", 3)).toEqual(["b", 2]);
});

it("lets the current entry be deleted while it is walked through", () => {
  const map = new BoundedMap<number, number>({ capacity: 9 });
  for (let key = 0; key < 9; key++) map.set(key, key);
  for (const [key] of map) if (key % 2 === 0) map.delete(key);
  expect(Array.from(map, ([key]) => key)).toEqual([1, 3, 5, 7]);
});

it("is empty after clear, and usable", () => {
  const map = new BoundedMap<string, number>({ capacity: 1 });
  map.set("a", 1);
  map.clear();
  expect([map.size, map.get("a"), [...map]]).toEqual([0, undefined, []]);
  expect(map.set("b", 2)).toBeUndefined();
});

type Operation = "get" | "set" | "delete";
type Cache = Pick<BoundedMap<number, number>, Operation>;

/** A `Map` in order of use, cut by hand. */
class MapModel implements Cache, Iterable<readonly [number, number]> {
  readonly #entries = new Map<number, number>();
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: number): number | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined) this.set(key, value);
    return value;
  }

  set(key: number, value: number): readonly [number, number] | undefined {
    this.#entries.delete(key);
    const oldest = this.size < this.#capacity ? undefined : [...this.#entries][0];
    if (oldest !== undefined) this.#entries.delete(oldest[0]);
    this.#entries.set(key, value);
    return oldest;
  }

  delete(key: number): boolean {
    return this.#entries.delete(key);
  }

  [Symbol.iterator](): Iterator<readonly [number, number]> {
    return this.#entries.entries();
  }
}

function applyTo(cache: Cache, operation: Operation, key: number, value: number): unknown {
  return operation === "set" ? cache.set(key, value) : cache[operation](key);
}

it("does as a Map that is kept in order of use and cut does", () => {
  const step = fc.tuple(
    fc.constantFrom<Operation[]>("get", "set", "delete"),
    fc.nat(12),
    fc.nat(99),
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 8 }),
      fc.array(step, { maxLength: 200 }),
      (capacity, steps) => {
        const map = new BoundedMap<number, number>({ capacity });
        const model = new MapModel(capacity);
        for (const [operation, key, value] of steps) {
          expect(applyTo(map, operation, key, value)).toEqual(
            applyTo(model, operation, key, value),
          );
          expect([...map]).toEqual([...model]);
          expect(map.size).toBe(model.size);
        }
      },
    ),
  );
});

it("throws without a usable capacity", () => {
  expect(() => new BoundedMap({ capacity: 0 })).toThrow(
    expect.objectContaining({ code: "CORE_OPTION" }),
  );
});
