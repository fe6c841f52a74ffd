/** @module Short loops over bytes and words, with exits and branches: where each charge is felt. */
import { type Kernel, program } from "./text.ts";

/** 4,000 bytes of something; the last is 0. */
const TEXT = `(memory 1)
  (data (i32.const 0) "${"the {\\22quick\\22: [1, 23, 456], brown: fox} jumps; ".repeat(84)}")`;
const bytes = (body: string, answer = "(local.get $s)"): string => `${TEXT}
  (func $work (result i32) (local $i i32) (local $s i32) (local $c i32) ${body} ${answer})`;
const nextByte = (limit: number): string =>
  `(br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const ${limit})))`;

export const SCANS: readonly Kernel[] = [
  program(
    "length-of-text",
    bytes(
      `(loop $next (br_if $next (i32.load8_u (local.tee $i (i32.add (local.get $i) (i32.const 1))))))`,
      "(local.get $i)",
    ),
  ),
  program(
    "find-byte",
    bytes(
      `(block $found (loop $next (br_if $found (i32.eq (i32.load8_u (local.get $i)) (i32.const 126))) ${nextByte(3900)}))`,
      "(local.get $i)",
    ),
  ),
  program(
    "count-words",
    bytes(`(loop $next (local.set $c (i32.load8_u (local.get $i)))
    (if (i32.eq (local.get $c) (i32.const 32)) (then (local.set $s (i32.add (local.get $s) (i32.const 1))))) ${nextByte(3900)})`),
  ),
  program(
    "classify",
    bytes(`(loop $next (local.set $c (i32.load8_u (local.get $i)))
    (block $done (block $digit (block $letter (block $other
      (br_if $digit (i32.lt_u (i32.sub (local.get $c) (i32.const 48)) (i32.const 10)))
      (br_if $letter (i32.lt_u (i32.sub (local.get $c) (i32.const 97)) (i32.const 26))))
      (local.set $s (i32.add (local.get $s) (i32.const 1))) (br $done))
      (local.set $s (i32.add (local.get $s) (i32.const 3))) (br $done))
      (local.set $s (i32.mul (local.get $s) (i32.const 5)))) ${nextByte(3900)})`),
  ),
  program(
    "nested-brackets",
    bytes(`(loop $next (block $done (block $close (block $open
      (br_table $open $done $close $done (i32.sub (i32.load8_u (local.get $i)) (i32.const 91))))
      (local.set $c (i32.add (local.get $c) (i32.const 1))) (br $done))
      (local.set $c (i32.sub (local.get $c) (i32.const 1))))
    (local.set $s (i32.add (local.get $s) (local.get $c))) ${nextByte(3900)})`),
  ),
  program(
    "hash-of-bytes",
    bytes(
      `(loop $next (local.set $s (i32.mul (i32.xor (local.get $s) (i32.load8_u (local.get $i))) (i32.const 16777619))) ${nextByte(3900)})`,
    ),
  ),
  program(
    "checksum-by-table",
    bytes(`(loop $next (local.set $s (i32.xor (i32.shr_u (local.get $s) (i32.const 8))
    (i32.load (i32.shl (i32.and (i32.xor (local.get $s) (i32.load8_u (local.get $i))) (i32.const 255)) (i32.const 2))))) ${nextByte(3900)})`),
  ),
  program(
    "copy-of-bytes",
    bytes(
      `(loop $next (i32.store8 offset=8000 (local.get $i) (i32.load8_u (local.get $i))) ${nextByte(3900)})`,
      "(i32.load (i32.const 8400))",
    ),
  ),
  program(
    "copies-of-16",
    bytes(
      `(loop $next (memory.copy (i32.const 8000) (local.get $i) (i32.const 16)) ${nextByte(1000)})`,
      "(i32.load (i32.const 8000))",
    ),
  ),
  program(
    "sieve",
    `(memory 1) (func $work (result i32) (local $i i32) (local $j i32) (local $s i32)
    (memory.fill (i32.const 0) (i32.const 0) (i32.const 4000)) (local.set $i (i32.const 2))
    (loop $next
      (if (i32.eqz (i32.load8_u (local.get $i))) (then
        (local.set $s (i32.add (local.get $s) (i32.const 1)))
        (local.set $j (i32.mul (local.get $i) (i32.const 2)))
        (block $done (loop $cross (br_if $done (i32.ge_u (local.get $j) (i32.const 4000)))
          (i32.store8 (local.get $j) (i32.const 1)) (local.set $j (i32.add (local.get $j) (local.get $i))) (br $cross)))))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 4000))))
    (local.get $s))`,
  ),
  program(
    "collatz",
    `(func $work (result i32) (local $i i32) (local $x i32) (local $s i32)
    (local.set $i (i32.const 1))
    (loop $next (local.set $x (local.get $i))
      (block $done (loop $step (br_if $done (i32.eq (local.get $x) (i32.const 1)))
        (local.set $s (i32.add (local.get $s) (i32.const 1)))
        (if (i32.and (local.get $x) (i32.const 1)) (then (local.set $x (i32.add (i32.mul (local.get $x) (i32.const 3)) (i32.const 1))))
          (else (local.set $x (i32.shr_u (local.get $x) (i32.const 1))))) (br $step)))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 200))))
    (local.get $s))`,
  ),
  program(
    "common-divisors",
    `(func $work (result i32) (local $i i32) (local $a i32) (local $b i32) (local $t i32) (local $s i32)
    (loop $next (local.set $a (i32.const 46368)) (local.set $b (i32.add (local.get $i) (i32.const 28000)))
      (loop $step (local.set $t (i32.rem_u (local.get $a) (local.get $b))) (local.set $a (local.get $b)) (br_if $step (local.tee $b (local.get $t))))
      (local.set $s (i32.add (local.get $s) (local.get $a)))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 400))))
    (local.get $s))`,
  ),
];
