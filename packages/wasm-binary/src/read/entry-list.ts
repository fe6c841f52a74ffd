/**
 * @module A list of entries of a module that holds only where each begins: what an entry says is
 * read again when it is asked for. So a module of a million small entries costs four bytes each, and
 * not an object each (CWE-789).
 */
import { WasmBinaryError } from "../errors.ts";

/** Entries in the order of their indices; `at` reads one from the module's bytes. */
export class EntryList<T> implements Iterable<T> {
  readonly #offsets: Uint32Array;
  readonly #read: (offset: number, index: number) => T;

  constructor(offsets: Uint32Array, read: (offset: number, index: number) => T) {
    this.#offsets = offsets;
    this.#read = read;
  }

  get length(): number {
    return this.#offsets.length;
  }

  /**
   * The entry at `index`.
   *
   * @throws {@link WasmBinaryError} (`WASM_BINARY_USAGE`) when there is none.
   */
  at(index: number): T {
    return this.#read(this.offsetOf(index), index);
  }

  /** Offset in the module of the entry at `index`. */
  offsetOf(index: number): number {
    const offset = this.#offsets[index];
    if (offset === undefined) {
      throw new WasmBinaryError("WASM_BINARY_USAGE", 0, `there is no entry ${index}`);
    }
    return offset;
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let index = 0; index < this.length; index++) yield this.at(index);
  }
}

/** Collects offsets; `capacity` comes from bytes that are there, not from a count. */
export class OffsetColumn {
  #offsets: Uint32Array;
  #length = 0;

  constructor(capacity = 0) {
    this.#offsets = new Uint32Array(capacity);
  }

  push(offset: number): void {
    if (this.#length === this.#offsets.length) this.reserve(1);
    this.#offsets[this.#length++] = offset;
  }

  /** Makes room for `more` entries, exactly when the column is empty and by doubling after. */
  reserve(more: number): void {
    const wanted = this.#length + more;
    if (wanted <= this.#offsets.length) return;
    const wider = new Uint32Array(this.#length === 0 ? wanted : Math.max(wanted, 2 * this.#length));
    wider.set(this.#offsets.subarray(0, this.#length));
    this.#offsets = wider;
  }

  get length(): number {
    return this.#length;
  }

  finish(): Uint32Array {
    return this.#offsets.subarray(0, this.#length);
  }
}
