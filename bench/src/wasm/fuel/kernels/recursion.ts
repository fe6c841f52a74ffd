/** @module Programs whose time goes into calls: recursion of every shape, tables of functions, small leaves. */
import { type Kernel, program } from "./text.ts";

export const RECURSION: readonly Kernel[] = [
  program(
    "fibonacci",
    `(func $fib (param i32) (result i32)
    (if (result i32) (i32.lt_s (local.get 0) (i32.const 2)) (then (local.get 0))
      (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
  (func $work (result i32) (call $fib (i32.const 18)))`,
  ),
  program(
    "takeuchi",
    `(func $tak (param i32 i32 i32) (result i32)
    (if (result i32) (i32.ge_s (local.get 1) (local.get 0)) (then (local.get 2))
      (else (call $tak (call $tak (i32.sub (local.get 0) (i32.const 1)) (local.get 1) (local.get 2))
        (call $tak (i32.sub (local.get 1) (i32.const 1)) (local.get 2) (local.get 0))
        (call $tak (i32.sub (local.get 2) (i32.const 1)) (local.get 0) (local.get 1))))))
  (func $work (result i32) (call $tak (i32.const 12) (i32.const 8) (i32.const 4)))`,
  ),
  program(
    "ackermann",
    `(func $ack (param i32 i32) (result i32)
    (if (result i32) (i32.eqz (local.get 0)) (then (i32.add (local.get 1) (i32.const 1)))
      (else (if (result i32) (i32.eqz (local.get 1)) (then (call $ack (i32.sub (local.get 0) (i32.const 1)) (i32.const 1)))
        (else (call $ack (i32.sub (local.get 0) (i32.const 1)) (call $ack (local.get 0) (i32.sub (local.get 1) (i32.const 1)))))))))
  (func $work (result i32) (call $ack (i32.const 2) (i32.const 30)))`,
  ),
  program(
    "even-and-odd",
    `(func $even (param i32) (result i32)
    (if (result i32) (local.get 0) (then (call $odd (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 1))))
  (func $odd (param i32) (result i32)
    (if (result i32) (local.get 0) (then (call $even (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 0))))
  (func $work (result i32) (call $even (i32.const 3000)))`,
  ),
  program(
    "tail-calls",
    `(func $even (param i32) (result i32)
    (if (result i32) (local.get 0) (then (return_call $odd (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 1))))
  (func $odd (param i32) (result i32)
    (if (result i32) (local.get 0) (then (return_call $even (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 0))))
  (func $work (result i32) (call $even (i32.const 9000)))`,
  ),
  program(
    "queens",
    `(func $place (param $row i32) (param $columns i32) (param $left i32) (param $right i32) (result i32)
    (local $free i32) (local $bit i32) (local $count i32)
    (if (i32.eqz (local.get $row)) (then (return (i32.const 1))))
    (local.set $free (i32.and (i32.const 127) (i32.xor (i32.const -1) (i32.or (local.get $columns) (i32.or (local.get $left) (local.get $right))))))
    (block $done (loop $next
      (br_if $done (i32.eqz (local.get $free)))
      (local.set $bit (i32.and (local.get $free) (i32.sub (i32.const 0) (local.get $free))))
      (local.set $free (i32.xor (local.get $free) (local.get $bit)))
      (local.set $count (i32.add (local.get $count) (call $place (i32.sub (local.get $row) (i32.const 1))
        (i32.or (local.get $columns) (local.get $bit))
        (i32.shl (i32.or (local.get $left) (local.get $bit)) (i32.const 1))
        (i32.shr_u (i32.or (local.get $right) (local.get $bit)) (i32.const 1)))))
      (br $next)))
    (local.get $count))
  (func $work (result i32) (call $place (i32.const 7) (i32.const 0) (i32.const 0) (i32.const 0)))`,
  ),
  program(
    "tree-walk",
    `(memory 2)
  (func $build (param $at i32) (param $depth i32) (result i32)
    (i32.store (local.get $at) (local.get $depth))
    (if (result i32) (i32.eqz (local.get $depth)) (then (i32.add (local.get $at) (i32.const 4)))
      (else (call $build (call $build (i32.add (local.get $at) (i32.const 4)) (i32.sub (local.get $depth) (i32.const 1))) (i32.sub (local.get $depth) (i32.const 1))))))
  (func $work (result i32) (call $build (i32.const 0) (i32.const 11)))`,
  ),
  program(
    "small-leaves",
    `(func $square (param i32) (result i32) (i32.mul (local.get 0) (local.get 0)))
  (func $mix (param i32 i32) (result i32) (i32.xor (call $square (local.get 0)) (i32.rotl (local.get 1) (i32.const 5))))
  (func $work (result i32) (local $i i32) (local $s i32)
    (loop $next (local.set $s (call $mix (local.get $i) (local.get $s)))
      (br_if $next (i32.lt_s (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 5000))))
    (local.get $s))`,
  ),
  program(
    "table-of-functions",
    `(table 4 4 funcref) (elem (i32.const 0) $a $b $c $d)
  (type $op (func (param i32) (result i32)))
  (func $a (type $op) (i32.add (local.get 0) (i32.const 7)))
  (func $b (type $op) (i32.xor (local.get 0) (i32.const 99)))
  (func $c (type $op) (i32.mul (local.get 0) (i32.const 3)))
  (func $d (type $op) (i32.rotl (local.get 0) (i32.const 3)))
  (func $work (result i32) (local $i i32) (local $s i32)
    (loop $next (local.set $s (call_indirect (type $op) (local.get $s) (i32.and (i32.xor (local.get $s) (local.get $i)) (i32.const 3))))
      (br_if $next (i32.lt_s (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 3000))))
    (local.get $s))`,
  ),
  program(
    "sort-with-comparator",
    `(memory 1) (table 1 1 funcref) (elem (i32.const 0) $compare)
  (type $compare (func (param i32 i32) (result i32)))
  (func $compare (type $compare) (i32.lt_u (local.get 0) (local.get 1)))
  (func $work (result i32) (local $i i32) (local $j i32) (local $x i32)
    (loop $fill (i32.store (i32.shl (local.get $i) (i32.const 2)) (i32.rem_u (i32.mul (local.get $i) (i32.const 7919)) (i32.const 1009)))
      (br_if $fill (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 120))))
    (local.set $i (i32.const 1))
    (loop $insert
      (local.set $x (i32.load (i32.shl (local.get $i) (i32.const 2)))) (local.set $j (local.get $i))
      (block $placed (loop $shift
        (br_if $placed (i32.eqz (local.get $j)))
        (br_if $placed (i32.eqz (call_indirect (type $compare) (local.get $x) (i32.load (i32.sub (i32.shl (local.get $j) (i32.const 2)) (i32.const 4))) (i32.const 0))))
        (i32.store (i32.shl (local.get $j) (i32.const 2)) (i32.load (i32.sub (i32.shl (local.get $j) (i32.const 2)) (i32.const 4))))
        (local.set $j (i32.sub (local.get $j) (i32.const 1))) (br $shift)))
      (i32.store (i32.shl (local.get $j) (i32.const 2)) (local.get $x))
      (br_if $insert (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 120))))
    (i32.load (i32.const 200)))`,
  ),
];
