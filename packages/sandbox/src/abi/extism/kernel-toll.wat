;; The kernel's functions for a metered plugin: each takes fuel before it works. In WebAssembly, since
;; a plugin calls these for each byte or word that it moves, and a call through JavaScript would cost
;; twenty times as much as the work.
;;
;; The fuel is a global of the plugin, which is instantiated later than what it imports: its way here
;; is the table, whose one function the runner puts there (pay.wat). Until then every call traps.
(module
  (type $pay (func (param i64)))
  (import "kernel" "alloc" (func $alloc (param i64) (result i64)))
  (import "kernel" "free" (func $free (param i64)))
  (import "kernel" "length" (func $length (param i64) (result i64)))
  (import "kernel" "load_u8" (func $load_u8 (param i64) (result i32)))
  (import "kernel" "load_u64" (func $load_u64 (param i64) (result i64)))
  (import "kernel" "store_u8" (func $store_u8 (param i64 i32)))
  (import "kernel" "store_u64" (func $store_u64 (param i64 i64)))
  (import "kernel" "input_length" (func $input_length (result i64)))
  (import "kernel" "input_load_u8" (func $input_load_u8 (param i64) (result i32)))
  (import "kernel" "input_load_u64" (func $input_load_u64 (param i64) (result i64)))
  (import "kernel" "output_set" (func $output_set (param i64 i64)))
  (import "kernel" "error_set" (func $error_set (param i64)))

  (table (export "tollgate") 1 1 funcref)

  ;; Of any of them: their operators, near enough.
  (func $pay (param $units i64)
    (call_indirect (type $pay) (local.get $units) (i32.const 0)))

  ;; Memory that may have to be mapped: one unit for eight bytes, unless it is more than the kernel
  ;; could ever give.
  (func (export "alloc") (param $size i64) (result i64)
    (call $pay
      (i64.add
        (i64.const 50)
        (select
          (i64.shr_u (local.get $size) (i64.const 3))
          (i64.const 0)
          (i64.lt_u (local.get $size) (i64.const 0x100000000)))))
    (call $alloc (local.get $size)))
  (func (export "free") (param $handle i64)
    (call $pay (i64.const 30))
    (call $free (local.get $handle)))
  (func (export "length") (export "length_unsafe") (param $handle i64) (result i64)
    (call $pay (i64.const 20))
    (call $length (local.get $handle)))
  (func (export "load_u8") (param $offset i64) (result i32)
    (call $pay (i64.const 10))
    (call $load_u8 (local.get $offset)))
  (func (export "load_u64") (param $offset i64) (result i64)
    (call $pay (i64.const 10))
    (call $load_u64 (local.get $offset)))
  (func (export "store_u8") (param $offset i64) (param $value i32)
    (call $pay (i64.const 10))
    (call $store_u8 (local.get $offset) (local.get $value)))
  (func (export "store_u64") (param $offset i64) (param $value i64)
    (call $pay (i64.const 10))
    (call $store_u64 (local.get $offset) (local.get $value)))
  (func (export "input_length") (result i64)
    (call $pay (i64.const 10))
    (call $input_length))
  (func (export "input_load_u8") (param $offset i64) (result i32)
    (call $pay (i64.const 10))
    (call $input_load_u8 (local.get $offset)))
  (func (export "input_load_u64") (param $offset i64) (result i64)
    (call $pay (i64.const 10))
    (call $input_load_u64 (local.get $offset)))
  (func (export "output_set") (param $offset i64) (param $length i64)
    (call $pay (i64.const 20))
    (call $output_set (local.get $offset) (local.get $length)))
  (func (export "error_set") (param $handle i64)
    (call $pay (i64.const 20))
    (call $error_set (local.get $handle))))
