import { BoundedQueue } from "@glovebox/core/flow";
import fc from "fast-check";
import { expect, it } from "vitest";

it("gives items back in the order in which they came, and refuses when full", () => {
  const queue = new BoundedQueue<string>({ capacity: 2 });
  expect([queue.push("a"), queue.push("b"), queue.push("c")]).toEqual([true, true, false]);
  expect(queue.size).toBe(2);
  expect([queue.shift(), queue.shift(), queue.shift()]).toEqual(["a", "b", undefined]);
  expect(queue.push("d")).toBe(true);
});

it("frees the place of an item that gave up waiting", () => {
  const queue = new BoundedQueue<string>({ capacity: 3 });
  for (const item of ["a", "b", "c"]) queue.push(item);
  expect(queue.remove("b")).toBe(true);
  expect(queue.remove("b")).toBe(false);
  expect(queue.push("d")).toBe(true);
  expect([queue.shift(), queue.shift(), queue.shift()]).toEqual(["a", "c", "d"]);
});

it("keeps its order through many times its capacity, and keeps nothing of what it handed out", () => {
  const queue = new BoundedQueue<number>({ capacity: 50 });
  for (let item = 0; item < 40; item++) queue.push(item);
  for (let item = 40; item < 2_000; item++) {
    expect(queue.shift()).toBe(item - 40);
    expect(queue.push(item)).toBe(true);
    expect(queue.size).toBe(40);
  }
  expect(queue.remove(0)).toBe(false);
});

type Operation = "push" | "shift" | "remove";
type Queue = Pick<BoundedQueue<number>, Operation | "size">;

class ArrayModel implements Queue {
  readonly #items: number[] = [];
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#items.length;
  }

  push(item: number): boolean {
    return this.size < this.#capacity && this.#items.push(item) > 0;
  }

  shift(): number | undefined {
    return this.#items.shift();
  }

  remove(item: number): boolean {
    const at = this.#items.indexOf(item);
    return at >= 0 && this.#items.splice(at, 1).length > 0;
  }
}

function applyTo(queue: Queue, operation: Operation, item: number): unknown {
  return operation === "shift" ? queue.shift() : queue[operation](item);
}

it("does as an array with a bound does", () => {
  const step = fc.oneof(
    { arbitrary: fc.nat(9).map((item) => ["push", item] as const), weight: 3 },
    { arbitrary: fc.constant(["shift", 0] as const), weight: 2 },
    { arbitrary: fc.nat(9).map((item) => ["remove", item] as const), weight: 1 },
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 80 }),
      fc.array(step, { maxLength: 400 }),
      (capacity, steps) => {
        const queue = new BoundedQueue<number>({ capacity });
        const model = new ArrayModel(capacity);
        for (const [operation, item] of steps) {
          expect(applyTo(queue, operation, item)).toBe(applyTo(model, operation, item));
          expect(queue.size).toBe(model.size);
        }
      },
    ),
  );
});

it.each([0, -1, 1.5, Number.NaN, Infinity])("throws for the capacity %d", (capacity) => {
  expect(() => new BoundedQueue({ capacity })).toThrow(
    expect.objectContaining({ code: "CORE_OPTION" }),
  );
});
