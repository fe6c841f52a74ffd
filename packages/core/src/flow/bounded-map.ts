/**
 * @module A map that holds at most so many entries and gives up the least recently used one, for
 * keys that an attacker can invent (threat: key-flood).
 *
 * The order is a linked list of its own. Taking the oldest key from a `Map` by iteration is shorter
 * but walks over all keys deleted since the last rehash: a flood of new keys would make each
 * eviction cost time in proportion to the capacity (measured: 32 µs at 100,000 entries).
 */
import { parseCapacity } from "./capacity.ts";

interface Node<K, V> {
  readonly key: K;
  value: V;
  older: Node<K, V> | undefined;
  newer: Node<K, V> | undefined;
}

/** A map of at most `capacity` entries, evicting the least recently used. All steps take constant time. */
export class BoundedMap<K, V> implements Iterable<readonly [K, V]> {
  /** The largest number of entries. */
  readonly capacity: number;
  readonly #nodes = new Map<K, Node<K, V>>();
  #oldest: Node<K, V> | undefined;
  #newest: Node<K, V> | undefined;

  /** @throws {@link CoreError} (`CORE_OPTION`) when `capacity` is not an integer of at least 1. */
  constructor(options: { readonly capacity: number }) {
    this.capacity = parseCapacity(options.capacity);
  }

  /** The number of entries. */
  get size(): number {
    return this.#nodes.size;
  }

  /** The key's value, and marks the entry as used; `undefined` when there is none. */
  get(key: K): V | undefined {
    const node = this.#nodes.get(key);
    if (node === undefined) return undefined;
    this.#unlink(node);
    this.#linkNewest(node);
    return node.value;
  }

  /** Is there an entry? Does not mark it as used. */
  has(key: K): boolean {
    return this.#nodes.has(key);
  }

  /**
   * Sets the key's value and marks the entry as used. When the key is new and the map full, the
   * least recently used entry makes room and is returned, so that the caller can release it.
   */
  set(key: K, value: V): readonly [K, V] | undefined {
    const existing = this.#nodes.get(key);
    if (existing !== undefined) {
      existing.value = value;
      this.#unlink(existing);
      this.#linkNewest(existing);
      return undefined;
    }
    const evicted = this.size >= this.capacity ? this.#oldest : undefined;
    if (evicted !== undefined) this.delete(evicted.key);
    const node: Node<K, V> = { key, value, older: undefined, newer: undefined };
    this.#nodes.set(key, node);
    this.#linkNewest(node);
    return evicted && [evicted.key, evicted.value];
  }

  /** Removes the entry; `false` when there was none. */
  delete(key: K): boolean {
    const node = this.#nodes.get(key);
    if (node === undefined) return false;
    this.#nodes.delete(key);
    this.#unlink(node);
    return true;
  }

  /** Removes all entries. */
  clear(): void {
    this.#nodes.clear();
    this.#oldest = undefined;
    this.#newest = undefined;
  }

  /** The entries, least recently used first. The current one may be deleted meanwhile. */
  *[Symbol.iterator](): Generator<readonly [K, V], void> {
    let node = this.#oldest;
    while (node !== undefined) {
      const { newer } = node;
      yield [node.key, node.value];
      node = newer;
    }
  }

  #unlink(node: Node<K, V>): void {
    if (node.older === undefined) this.#oldest = node.newer;
    else node.older.newer = node.newer;
    if (node.newer === undefined) this.#newest = node.older;
    else node.newer.older = node.older;
    node.older = undefined;
    node.newer = undefined;
  }

  #linkNewest(node: Node<K, V>): void {
    node.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = node;
    else this.#newest.newer = node;
    this.#newest = node;
  }
}
