/** @module A growable column of integers: the analyses keep their nodes and edges in such. */

/** Integers of 32 bits; `clear` keeps the room. */
export class Column {
  values: Int32Array;
  length = 0;

  constructor(capacity = 256) {
    this.values = new Int32Array(capacity);
  }

  /** Appends and answers the index. */
  push(value: number): number {
    if (this.length === this.values.length) {
      const wider = new Int32Array(2 * this.length);
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

  clear(): void {
    this.length = 0;
  }
}

/** As {@link Column}, for numbers that may not fit 32 bits. */
export class NumberColumn {
  values: Float64Array;
  length = 0;

  constructor(capacity = 256) {
    this.values = new Float64Array(capacity);
  }

  /** Appends and answers the index. */
  push(value: number): number {
    if (this.length === this.values.length) {
      const wider = new Float64Array(2 * this.length);
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

  clear(): void {
    this.length = 0;
  }
}
