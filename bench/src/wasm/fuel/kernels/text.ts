/** @module A few words to write loop nests in: they give WebAssembly text as compilers lay it out. */

/** A program that is measured: `run` does its work as often as its argument says, and answers a checksum. */
export interface Kernel {
  readonly name: string;
  readonly wat: string;
}

/** Rows and columns of the matrices. */
export const N = 48;
const BYTES = 8 * N * N;
/** Where the matrices stand. */
export const [A, B, C] = [0, BYTES, 2 * BYTES] as const;

export const get = (local: string): string => `(local.get $${local})`;
export const set = (local: string, value: string): string => `(local.set $${local} ${value})`;
export const int = (value: number): string => `(i32.const ${value})`;
export const plus = (one: string, other: string): string => `(i32.add ${one} ${other})`;
/** Index of row and column. */
export const cell = (row: string, column: string): string =>
  plus(`(i32.mul ${row} ${int(N)})`, column);
export const load = (base: number, index: string): string =>
  `(f64.load offset=${base} (i32.shl ${index} (i32.const 3)))`;
export const store = (base: number, index: string, value: string): string =>
  `(f64.store offset=${base} (i32.shl ${index} (i32.const 3)) ${value})`;
export const sum = (...terms: string[]): string =>
  terms.reduce((left, right) => `(f64.add ${left} ${right})`);
export const less = (one: string, other: string): string => `(f64.sub ${one} ${other})`;
export const times = (one: string, other: string): string => `(f64.mul ${one} ${other})`;
export const real = (value: number): string => `(f64.const ${value})`;

/** `local` from `from` up to `to`, at least once, tested at the end. */
export const each = (
  local: string,
  from: number | string,
  to: number | string,
  body: string,
): string =>
  `${set(local, typeof from === "number" ? int(from) : from)}
  (loop $${local} ${body}
    (br_if $${local} (i32.ne (local.tee $${local} ${plus(get(local), int(1))}) ${typeof to === "number" ? int(to) : to})))`;

/** As {@link each}, where it may be not even once. */
export const eachOrNone = (
  local: string,
  from: number | string,
  to: string,
  body: string,
): string =>
  `(if (i32.lt_s ${typeof from === "number" ? int(from) : from} ${to}) (then ${each(local, from, to, body)}))`;

/** A nest over three matrices of numbers between 1 and 2; the sum of the last is the answer. */
export function nest(name: string, body: string): Kernel {
  const fill = (base: number): string =>
    each(
      "i",
      0,
      N * N,
      store(
        base,
        get("i"),
        `(f64.add (f64.const 1) (f64.div (f64.convert_i32_u (i32.rem_u (i32.mul (local.get $i) (i32.const 7919)) (i32.const 97))) (f64.const 97)))`,
      ),
    );
  return {
    name,
    wat: `(module (memory 2)
  (func (export "init") (local $i i32) ${fill(A)} ${fill(B)} ${fill(C)})
  (func (export "run") (param $turns i32) (result f64)
    (local $i i32) (local $j i32) (local $k i32) (local $s f64) (local $x f64)
    (loop $turn ${body}
      (br_if $turn (local.tee $turns (i32.sub (local.get $turns) (i32.const 1)))))
    ${set("s", real(0))}
    ${each("i", 0, N * N, set("s", sum(get("s"), load(C, get("i")))))}
    ${get("s")}))`,
  };
}

/** A program of its own: `work` is the text of `$work`, of no arguments and an i32, and what it uses. */
export function program(name: string, text: string): Kernel {
  return {
    name,
    wat: `(module ${text}
  (func (export "run") (param $turns i32) (result i32) (local $s i32)
    (loop $turn
      (local.set $s (i32.add (i32.rotl (local.get $s) (i32.const 1)) (call $work)))
      (br_if $turn (local.tee $turns (i32.sub (local.get $turns) (i32.const 1)))))
    (local.get $s)))`,
  };
}
