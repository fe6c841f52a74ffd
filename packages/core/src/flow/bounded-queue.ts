/**
 * @module A first-in, first-out queue that refuses when it is full, so that a flood of requests
 * becomes refusals and not memory (threats: caller-flood, host-call-flood).
 */
import { parseCapacity } from "./capacity.ts";

/** Dead slots at the front are dropped once there are as many as live ones, and at least so many. */
const MIN_COMPACTION = 32;

/** A queue of at most `capacity` items. `push` and `shift` take constant time on average. */
export class BoundedQueue<T> {
  /** The largest number of items. */
  readonly capacity: number;
  #slots: (T | undefined)[] = [];
  #first = 0;

  /** @throws {@link CoreError} (`CORE_OPTION`) when `capacity` is not an integer of at least 1. */
  constructor(options: { readonly capacity: number }) {
    this.capacity = parseCapacity(options.capacity);
  }

  /** The number of items. */
  get size(): number {
    return this.#slots.length - this.#first;
  }

  /** Appends the item; `false`, and nothing appended, when the queue is full. */
  push(item: T): boolean {
    if (this.size >= this.capacity) return false;
    this.#slots.push(item);
    return true;
  }

  /** Takes the oldest item; `undefined` when the queue is empty. */
  shift(): T | undefined {
    if (this.size === 0) return undefined;
    const item = this.#slots[this.#first];
    // The slot must not keep alive what was handed out.
    this.#slots[this.#first++] = undefined;
    if (this.#first >= MIN_COMPACTION && this.#first * 2 >= this.#slots.length) this.#compact();
    return item;
  }

  /**
   * Takes out an item that gave up waiting (compared with `===`, the oldest if it is there twice);
   * `false` when it is not there. Takes time in proportion to the size.
   */
  remove(item: T): boolean {
    const at = this.#slots.indexOf(item, this.#first);
    if (at < 0) return false;
    this.#slots.splice(at, 1);
    return true;
  }

  #compact(): void {
    this.#slots = this.#slots.slice(this.#first);
    this.#first = 0;
  }
}
