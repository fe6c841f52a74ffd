;; Atomic access to a shared memory, in one thread.

(module
  (memory 1 1 shared)
  (func (export "add") (param i32 i64) (result i64) (i64.atomic.rmw.add (local.get 0) (local.get 1)))
  (func (export "exchange") (param i32 i32 i32) (result i32)
    (i32.atomic.rmw8.cmpxchg_u (local.get 0) (local.get 1) (local.get 2)))
  (func (export "load") (param i32) (result i64) (i64.atomic.load (local.get 0)))
  (func (export "notify") (result i32) (memory.atomic.notify (i32.const 0) (i32.const 1)))
  (func (export "fence") (atomic.fence))
)

(assert_return (invoke "add" (i32.const 8) (i64.const 5)) (i64.const 0))
(assert_return (invoke "add" (i32.const 8) (i64.const -1)) (i64.const 5))
(assert_return (invoke "exchange" (i32.const 8) (i32.const 4) (i32.const 9)) (i32.const 4))
(assert_return (invoke "load" (i32.const 8)) (i64.const 9))
(assert_trap (invoke "load" (i32.const 9)) "unaligned atomic")
(assert_trap (invoke "load" (i32.const 65536)) "out of bounds memory access")
(assert_return (invoke "notify") (i32.const 0))
(assert_return (invoke "fence"))
(assert_invalid (module (memory 1 shared)) "shared memory must have maximum")
