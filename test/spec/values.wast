;; Several values at once, and constant expressions that compute.

(module
  (global $base i32 (i32.add (i32.const 40) (i32.mul (i32.const 3) (i32.const 4))))
  (memory 1)
  (data (offset (i32.sub (global.get $base) (i32.const 2))) "\63")

  (func $divide (export "divide") (param i32 i32) (result i32 i32)
    (i32.div_u (local.get 0) (local.get 1))
    (i32.rem_u (local.get 0) (local.get 1)))
  (func (export "swap twice") (param i32 i64) (result i64 i32)
    local.get 0 local.get 1
    (block (param i32 i64) (result i64 i32)
      (local.set 1) (local.set 0) (local.get 1) (local.get 0)))
  (func (export "sum of divide") (param i32 i32) (result i32)
    (call $divide (local.get 0) (local.get 1))
    (i32.add))
  (func (export "power") (param $base i32) (param $exponent i32) (result i32)
    (i32.const 1) (local.get $exponent)
    (loop $again (param i32 i32) (result i32)
      (local.set $exponent)
      (if (param i32) (result i32) (local.get $exponent)
        (then
          (local.get $base) (i32.mul)
          (i32.sub (local.get $exponent) (i32.const 1))
          (br $again)))))
  (func (export "byte") (result i32) (i32.load8_u (i32.const 50)))
  (func (export "many") (result i32 i64 f32 f64 i32)
    (i32.const 1) (i64.const 2) (f32.const 3) (f64.const nan:0x4) (i32.const 5))
)

(assert_return (invoke "divide" (i32.const 17) (i32.const 5)) (i32.const 3) (i32.const 2))
(assert_trap (invoke "divide" (i32.const 17) (i32.const 0)) "integer divide by zero")
(assert_return (invoke "swap twice" (i32.const 1) (i64.const 2)) (i64.const 2) (i32.const 1))
(assert_return (invoke "sum of divide" (i32.const 17) (i32.const 5)) (i32.const 5))
(assert_return (invoke "power" (i32.const 3) (i32.const 7)) (i32.const 2187))
(assert_return (invoke "byte") (i32.const 99))
(assert_return (invoke "many") (i32.const 1) (i64.const 2) (f32.const 3) (f64.const nan:0x4) (i32.const 5))
(assert_invalid (module (global i32 (i32.eqz (i32.const 0)))) "constant expression required")
