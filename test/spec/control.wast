;; Blocks, branches, loops, calls and dead code of WebAssembly 1.0.

(module
  (type $unary (func (param i32) (result i32)))
  (table $operators funcref (elem $double $square $fails))
  (memory 1)
  (global $steps (mut i32) (i32.const 0))

  (func $double (type $unary) (i32.shl (local.get 0) (i32.const 1)))
  (func $square (type $unary) (i32.mul (local.get 0) (local.get 0)))
  (func $fails (type $unary) (unreachable))

  (func (export "factorial") (param i64) (result i64)
    (if (result i64) (i64.eqz (local.get 0))
      (then (i64.const 1))
      (else (i64.mul (local.get 0) (call 3 (i64.sub (local.get 0) (i64.const 1)))))))

  (func (export "sum up to") (param $n i32) (result i32)
    (local $i i32) (local $sum i32)
    (block $done
      (loop $next
        (br_if $done (i32.gt_s (local.get $i) (local.get $n)))
        (local.set $sum (i32.add (local.get $sum) (local.get $i)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (local.get $sum))

  ;; Charged once before it begins: one local stepped to a bound, tested at the end.
  (func (export "countdown") (param $n i32) (result i32)
    (local $count i32)
    (loop $again
      (local.set $count (i32.add (local.get $count) (i32.const 3)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $count))

  ;; The same shape with a trap inside.
  (func (export "countdown to a trap") (param $n i32)
    (loop $again
      (drop (i32.load (i32.mul (local.get $n) (i32.const -1))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))

  (func (export "switch") (param i32) (result i32)
    (block $other
      (block $two
        (block $one
          (block $zero
            (br_table $zero $one $two $one $other (local.get 0)))
          (return (i32.const 10)))
        (return (i32.const 11)))
      (return (i32.const 12)))
    (i32.const 13))

  (func (export "dead code") (param i32) (result i32)
    (block (result i32)
      (br 0 (i32.const 1))
      (drop (call $double (i32.const 1)))
      (if (then (unreachable)))
      (loop (br 0))
      (return (call_indirect (type $unary) (i32.const 2) (i32.const 0)))))

  (func $even (export "even") (param i32) (result i32)
    (if (result i32) (i32.eqz (local.get 0))
      (then (i32.const 1))
      (else (call $odd (i32.sub (local.get 0) (i32.const 1))))))
  (func $odd (param i32) (result i32)
    (if (result i32) (i32.eqz (local.get 0))
      (then (i32.const 0))
      (else (call $even (i32.sub (local.get 0) (i32.const 1))))))

  (func (export "apply") (param $operator i32) (param $to i32) (result i32)
    (call_indirect (type $unary) (local.get $to) (local.get $operator)))
  (func (export "apply wrongly") (result i64)
    (call_indirect (param i64) (result i64) (i64.const 1) (i32.const 0)))

  (func $endless (export "endless recursion") (result i32)
    (i32.add (call $endless) (i32.const 1)))

  (func (export "side effects in order") (result i32)
    (global.set $steps (i32.const 1))
    (i32.sub
      (block (result i32) (global.set $steps (i32.mul (global.get $steps) (i32.const 3))) (global.get $steps))
      (block (result i32) (global.set $steps (i32.add (global.get $steps) (i32.const 4))) (global.get $steps))))

  ;; 2^12 calls without a loop or recursion.
  (func $c0 (result i32) (i32.const 1))
  (func $c1 (result i32) (i32.add (call $c0) (call $c0)))
  (func $c2 (result i32) (i32.add (call $c1) (call $c1)))
  (func $c3 (result i32) (i32.add (call $c2) (call $c2)))
  (func $c4 (result i32) (i32.add (call $c3) (call $c3)))
  (func (export "doubled twelve times") (result i32)
    (i32.mul (call $c4) (i32.mul (call $c4) (call $c4))))

  (func (export "divide") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
)

(assert_return (invoke "factorial" (i64.const 20)) (i64.const 2432902008176640000))
(assert_return (invoke "sum up to" (i32.const 1000)) (i32.const 500500))
(assert_return (invoke "sum up to" (i32.const -1)) (i32.const 0))
(assert_return (invoke "countdown" (i32.const 1000)) (i32.const 3000))
(assert_trap (invoke "countdown to a trap" (i32.const 3)) "out of bounds memory access")
(assert_return (invoke "switch" (i32.const 0)) (i32.const 10))
(assert_return (invoke "switch" (i32.const 1)) (i32.const 11))
(assert_return (invoke "switch" (i32.const 2)) (i32.const 12))
(assert_return (invoke "switch" (i32.const 3)) (i32.const 11))
(assert_return (invoke "switch" (i32.const -1)) (i32.const 13))
(assert_return (invoke "dead code" (i32.const 0)) (i32.const 1))
(assert_return (invoke "even" (i32.const 77)) (i32.const 0))
(assert_return (invoke "even" (i32.const 500)) (i32.const 1))
(assert_return (invoke "apply" (i32.const 0) (i32.const 21)) (i32.const 42))
(assert_return (invoke "apply" (i32.const 1) (i32.const 9)) (i32.const 81))
(assert_trap (invoke "apply" (i32.const 2) (i32.const 0)) "unreachable")
(assert_trap (invoke "apply" (i32.const 3) (i32.const 0)) "undefined element")
(assert_trap (invoke "apply wrongly") "indirect call type mismatch")
(assert_exhaustion (invoke "endless recursion") "call stack exhausted")
(assert_return (invoke "side effects in order") (i32.const -4))
(assert_return (invoke "doubled twelve times") (i32.const 4096))
(assert_return (invoke "divide" (i32.const -7) (i32.const 2)) (i32.const -3))
(assert_trap (invoke "divide" (i32.const 1) (i32.const 0)) "integer divide by zero")
(assert_trap (invoke "divide" (i32.const 0x80000000) (i32.const -1)) "integer overflow")

;; A start function runs before anything else, and may trap.
(module
  (global $started (export "started") (mut i32) (i32.const 0))
  (func $start (global.set $started (i32.add (global.get $started) (i32.const 7))))
  (start $start)
)
(assert_return (get "started") (i32.const 7))
(assert_trap (module (func $start (unreachable)) (start $start)) "unreachable")

(assert_invalid (module (func (result i32))) "type mismatch")
(assert_invalid (module (func (br 2))) "unknown label")
(assert_invalid (module (func (local.get 0) (drop))) "unknown local")
(assert_invalid (module (func (call 7))) "unknown function")
(assert_invalid (module (func (unreachable) (i32.add (i64.const 1) (i32.const 1)) (drop))) "type mismatch")
(assert_invalid (module (start 0) (func (param i32))) "start function")
;; What would be the fuel, if metering did not ask for a proof that the original is valid.
(assert_invalid (module (func (global.set 0 (i64.const 0x7fffffffffffff)))) "unknown global")
