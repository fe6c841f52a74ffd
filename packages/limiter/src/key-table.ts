/**
 * @module State per key in bounded memory (threats: key-flood, CWE-770). Only entries in their
 * initial state are dropped to make room: dropping any other would hand its key a fresh allowance,
 * and whoever floods the table with keys would buy back a spent rate. A table that is full of
 * entries in use refuses new keys.
 *
 * A hand goes round the entries and looks at a few each time room is needed, so finding a key costs
 * one look-up and no bookkeeping.
 */
import { EVICTION_SCAN } from "./limits.ts";

/** An entry that knows whether forgetting it would change no decision. */
export interface KeyEntry {
  isIdle(): boolean;
}

/** A bounded map that makes its entries on demand. */
export class KeyTable<Key, Entry extends KeyEntry> {
  readonly #capacity: number;
  readonly #create: (key: Key) => Entry;
  readonly #entries = new Map<Key, Entry>();
  /** The keys in the order of the hand's round. */
  readonly #keys: Key[] = [];
  #hand = 0;
  #evicted = 0;

  constructor(capacity: number, create: (key: Key) => Entry) {
    this.#capacity = capacity;
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
    return this.#entries.get(key) ?? this.#make(key);
  }

  #make(key: Key): Entry | undefined {
    const place = this.#keys.length < this.#capacity ? this.#keys.length : this.#evictIdle();
    if (place === undefined) return undefined;
    const entry = this.#create(key);
    this.#keys[place] = key;
    this.#entries.set(key, entry);
    return entry;
  }

  /** Drops the next idle entry and answers its place; the work of one attempt is constant. */
  #evictIdle(): number | undefined {
    for (let looked = 0; looked < EVICTION_SCAN; looked += 1) {
      const place = this.#hand;
      this.#hand = (place + 1) % this.#capacity;
      const key = this.#keys[place];
      if (key === undefined || this.#entries.get(key)?.isIdle() !== true) continue;
      this.#entries.delete(key);
      this.#evicted += 1;
      return place;
    }
    return undefined;
  }
}
