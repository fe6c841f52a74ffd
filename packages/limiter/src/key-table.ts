/**
 * @module State per key in bounded memory (threats: key-flood, CWE-770). Only entries in their
 * initial state are dropped to make room: dropping any other would hand its key a fresh allowance,
 * and whoever floods the table with keys would buy back a spent rate. A table that is full of
 * entries in use refuses new keys.
 */
import { BoundedMap } from "@glovebox/core/flow";

import { EVICTION_SCAN } from "./limits.ts";

/** An entry that knows whether forgetting it would change no decision. */
export interface KeyEntry {
  isIdle(): boolean;
}

/** A bounded map that makes its entries on demand. */
export class KeyTable<Key, Entry extends KeyEntry> {
  readonly #entries: BoundedMap<Key, Entry>;
  readonly #create: (key: Key) => Entry;
  #evicted = 0;

  constructor(capacity: number, create: (key: Key) => Entry) {
    this.#entries = new BoundedMap({ capacity });
    this.#create = create;
  }

  /** Entries held now. */
  get size(): number {
    return this.#entries.size;
  }

  /** Entries dropped so far. */
  get evicted(): number {
    return this.#evicted;
  }

  /** The key's entry; `undefined` when there is none. */
  get(key: Key): Entry | undefined {
    return this.#entries.get(key);
  }

  /** The key's entry, made if there is none; `undefined` when there is no room. */
  open(key: Key): Entry | undefined {
    const found = this.#entries.get(key);
    if (found !== undefined) return found;
    if (this.#entries.size >= this.#entries.capacity && !this.#evictIdle()) return undefined;
    const entry = this.#create(key);
    this.#entries.set(key, entry);
    return entry;
  }

  /**
   * Looks at the entries that were not used for longest, and marks those in use as used, so that
   * the next attempt looks at others and the work of one decision is constant.
   */
  #evictIdle(): boolean {
    let looked = 0;
    for (const [key, entry] of this.#entries) {
      if (entry.isIdle()) {
        this.#evicted += 1;
        return this.#entries.delete(key);
      }
      this.#entries.get(key);
      looked += 1;
      if (looked >= EVICTION_SCAN) break;
    }
    return false;
  }
}
