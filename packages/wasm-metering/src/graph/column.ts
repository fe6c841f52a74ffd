/** @module Growable columns of numbers: the analyses keep their nodes and edges in such. */

/**
 * A class of columns over one kind of array. Each kind has a class of its own, because the engine
 * then keeps apart what it learns of each: at two kinds of array in one method it guesses worse.
 */
function columnsOf<T extends Int32Array | Float64Array>(Numbers: new (length: number) => T) {
  return class {
    values: T;
    length = 0;

    constructor(capacity = 256) {
      this.values = new Numbers(capacity);
    }

    /** Appends and answers the index. */
    push(value: number): number {
      if (this.length === this.values.length) {
        const wider = new Numbers(2 * this.length);
        wider.set(this.values);
        this.values = wider;
      }
      this.values[this.length] = value;
      return this.length++;
    }

    at(index: number): number {
      return this.values[index] as number;
    }

    set(index: number, value: number): void {
      this.values[index] = value;
    }

    /** Forgets the values and keeps the room. */
    clear(): void {
      this.length = 0;
    }
  };
}

/** Integers of 32 bits. */
export class Column extends columnsOf(Int32Array) {}

/** Numbers that may not fit 32 bits. */
export class NumberColumn extends columnsOf(Float64Array) {}
