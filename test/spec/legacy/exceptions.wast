;; The first form of exceptions, which engines still run.

(module
  (tag $number (param i32))
  (func $throws (param i32) (if (local.get 0) (then (throw $number (local.get 0)))))

  (func (export "catch") (param i32) (result i32)
    (try (result i32)
      (do (call $throws (local.get 0)) (i32.const -1))
      (catch $number (i32.add (i32.const 1)))))
  (func (export "catch all") (param i32) (result i32)
    (try (result i32)
      (do (call $throws (local.get 0)) (i32.const 0))
      (catch_all (i32.const 2))))
  (func (export "rethrow") (param i32) (result i32)
    (try (result i32)
      (do
        (try (result i32)
          (do (call $throws (local.get 0)) (i32.const 0))
          (catch_all (rethrow 0))))
      (catch $number)))
  (func (export "delegate") (param i32) (result i32)
    (try $outer (result i32)
      (do
        (try (result i32)
          (do (try (result i32) (do (call $throws (local.get 0)) (i32.const 0)) (delegate $outer)))
          (catch_all (i32.const -9))))
      (catch $number (i32.mul (i32.const 2)))))
  (func (export "uncaught") (call $throws (i32.const 1)))
)

(assert_return (invoke "catch" (i32.const 0)) (i32.const -1))
(assert_return (invoke "catch" (i32.const 4)) (i32.const 5))
(assert_return (invoke "catch all" (i32.const 4)) (i32.const 2))
(assert_return (invoke "rethrow" (i32.const 7)) (i32.const 7))
(assert_return (invoke "delegate" (i32.const 7)) (i32.const 14))
(assert_return (invoke "delegate" (i32.const 0)) (i32.const 0))
(assert_exception (invoke "uncaught"))
