/** @module What the generator of modules is made of: chance from a seed, and operators by name. */
import { opcodeNamed } from "@glovebox/wasm-binary/operators";
import { ByteWriter } from "@glovebox/wasm-binary/write";

/** The same numbers for the same seed (xorshift32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed * 2_654_435_761) >>> 0 || 1;
  }

  /** From 0 to `limit - 1`. */
  below(limit: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    this.#state >>>= 0;
    return this.#state % limit;
  }

  chance(probability: number): boolean {
    return this.below(1_000) < 1_000 * probability;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}

/** Code of one body. */
export class Emitter {
  readonly writer: ByteWriter = new ByteWriter();

  /** An operator without what follows it. */
  op(name: string): void {
    const opcode = opcodeNamed(name);
    if (opcode < 256) return this.writer.byte(opcode);
    this.writer.byte(0xfc);
    this.writer.byte(opcode - opcodeNamed("i32.trunc_sat_f32_s"));
  }

  index(name: string, index: number): void {
    this.op(name);
    this.writer.unsigned(index);
  }

  i32(value: number): void {
    this.op("i32.const");
    this.writer.signed(value);
  }
}
