/** @module Programs with state: an interpreter, hash tables, automata, random numbers, a heap, exceptions. */
import { type Kernel, program } from "./text.ts";

const loop = (limit: number, body: string, answer = "(local.get $s)"): string =>
  `(func $work (result i32) (local $i i32) (local $s i32) (local $x i32) (local $y i32)
    (loop $next ${body}
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const ${limit}))))
    ${answer})`;

export const MACHINES: readonly Kernel[] = [
  program(
    "interpreter",
    `(memory 1) (data (i32.const 0) "\\00\\01\\02\\03\\01\\00\\02\\04\\00\\03\\01\\02\\05")
    (func $work (result i32) (local $at i32) (local $a i32) (local $turns i32)
      (local.set $turns (i32.const 400))
      (loop $next
        (block $done (block $jump (block $rotate (block $mul (block $xor (block $add (block $inc
          (br_table $inc $add $xor $mul $rotate $jump (i32.load8_u (local.get $at))))
          (local.set $a (i32.add (local.get $a) (i32.const 1))) (br $done))
          (local.set $a (i32.add (local.get $a) (local.get $turns))) (br $done))
          (local.set $a (i32.xor (local.get $a) (i32.const 1234567))) (br $done))
          (local.set $a (i32.mul (local.get $a) (i32.const 31))) (br $done))
          (local.set $a (i32.rotl (local.get $a) (i32.const 7))) (br $done))
          (if (i32.eqz (local.tee $turns (i32.sub (local.get $turns) (i32.const 1)))) (then (return (local.get $a))))
          (local.set $at (i32.const 0)) (br $next))
        (local.set $at (i32.add (local.get $at) (i32.const 1))) (br $next))
      (unreachable))`,
  ),
  program(
    "hash-table",
    `(memory 1) ${loop(
      2000,
      `
      (local.set $x (i32.and (i32.mul (i32.add (i32.rem_u (local.get $i) (i32.const 700)) (i32.const 1)) (i32.const -1640531527)) (i32.const 4092)))
      (block $free (loop $probe
        (br_if $free (i32.eqz (local.tee $y (i32.load (local.get $x)))))
        (br_if $free (i32.eq (local.get $y) (i32.add (i32.rem_u (local.get $i) (i32.const 700)) (i32.const 1))))
        (local.set $x (i32.and (i32.add (local.get $x) (i32.const 4)) (i32.const 4092))) (br $probe)))
      (i32.store (local.get $x) (i32.add (i32.rem_u (local.get $i) (i32.const 700)) (i32.const 1)))
      (local.set $s (i32.add (local.get $s) (local.get $x)))`,
    )}`,
  ),
  program(
    "random-numbers",
    loop(
      6000,
      `(local.set $x (i32.add (local.get $x) (i32.const -1640531527)))
      (local.set $y (i32.xor (local.get $x) (i32.shr_u (local.get $x) (i32.const 15))))
      (local.set $s (i32.add (local.get $s) (i32.mul (local.get $y) (i32.const 739982445))))`,
    ),
  ),
  program(
    "cells",
    `(memory 1) ${loop(
      4000,
      `(i32.store8 offset=5000 (local.get $i)
        (i32.and (i32.shr_u (i32.const 110) (i32.add (i32.load8_u (local.get $i)) (i32.add (i32.shl (i32.load8_u offset=1 (local.get $i)) (i32.const 1)) (i32.shl (i32.load8_u offset=2 (local.get $i)) (i32.const 2))))) (i32.const 1)))
      (if (i32.load8_u offset=5000 (local.get $i)) (then (local.set $s (i32.add (local.get $s) (i32.const 1)))))`,
    )}`,
  ),
  program(
    "heap",
    `(memory 1) ${loop(
      300,
      `
      (local.set $x (local.get $i))
      (i32.store (i32.shl (local.get $x) (i32.const 2)) (i32.rem_u (i32.mul (local.get $i) (i32.const 7919)) (i32.const 1009)))
      (block $placed (loop $up
        (br_if $placed (i32.eqz (local.get $x)))
        (local.set $y (i32.shr_u (i32.sub (local.get $x) (i32.const 1)) (i32.const 1)))
        (br_if $placed (i32.ge_u (i32.load (i32.shl (local.get $x) (i32.const 2))) (i32.load (i32.shl (local.get $y) (i32.const 2)))))
        (local.set $s (i32.load (i32.shl (local.get $x) (i32.const 2))))
        (i32.store (i32.shl (local.get $x) (i32.const 2)) (i32.load (i32.shl (local.get $y) (i32.const 2))))
        (i32.store (i32.shl (local.get $y) (i32.const 2)) (local.get $s))
        (local.set $x (local.get $y)) (br $up)))`,
      "(i32.load (i32.const 400))",
    )}`,
  ),
  program(
    "binary-search",
    `(memory 1) (func $work (result i32) (local $i i32) (local $low i32) (local $high i32) (local $mid i32) (local $s i32)
      (loop $next (local.set $low (i32.const 0)) (local.set $high (i32.const 4096))
        (loop $halve (local.set $mid (i32.shr_u (i32.add (local.get $low) (local.get $high)) (i32.const 1)))
          (if (i32.lt_u (i32.mul (local.get $mid) (i32.const 3)) (i32.mul (local.get $i) (i32.const 17)))
            (then (local.set $low (i32.add (local.get $mid) (i32.const 1)))) (else (local.set $high (local.get $mid))))
          (br_if $halve (i32.lt_u (local.get $low) (local.get $high))))
        (local.set $s (i32.add (local.get $s) (local.get $low)))
        (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 400))))
      (local.get $s))`,
  ),
  program(
    "global-counter",
    `(global $count (mut i32) (i32.const 0)) ${loop(5000, `(global.set $count (i32.add (global.get $count) (local.get $i)))`, "(global.get $count)")}`,
  ),
  program(
    "caught-exceptions",
    `(tag $t (param i32))
    (func $fail (param i32) (if (i32.and (local.get 0) (i32.const 1)) (then (throw $t (local.get 0)))))
    ${loop(12, `(local.set $s (i32.add (local.get $s) (block $h (result i32) (try_table (catch $t $h) (call $fail (local.get $i))) (i32.const 3))))`)}`,
  ),
];
