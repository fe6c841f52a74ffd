;; An echo against the Extism ABI: the input goes through the plugin's own memory, eight bytes at a
;; time and then one at a time, as the published development kits do it.
(module
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (import "extism:host/env" "input_load_u8" (func $input_load_u8 (param i64) (result i32)))
  (import "extism:host/env" "input_load_u64" (func $input_load_u64 (param i64) (result i64)))
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store_u8 (param i64 i32)))
  (import "extism:host/env" "store_u64" (func $store_u64 (param i64 i64)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (memory (export "memory") 33)
  (func (export "echo") (result i32)
    (local $length i64) (local $at i64) (local $output i64)
    (local.set $length (call $input_length))
    (block $read8
      (loop $next
        (br_if $read8 (i64.gt_u (i64.add (local.get $at) (i64.const 8)) (local.get $length)))
        (i64.store (i32.wrap_i64 (local.get $at)) (call $input_load_u64 (local.get $at)))
        (local.set $at (i64.add (local.get $at) (i64.const 8)))
        (br $next)))
    (block $read1
      (loop $next
        (br_if $read1 (i64.ge_u (local.get $at) (local.get $length)))
        (i32.store8 (i32.wrap_i64 (local.get $at)) (call $input_load_u8 (local.get $at)))
        (local.set $at (i64.add (local.get $at) (i64.const 1)))
        (br $next)))
    (local.set $output (call $alloc (local.get $length)))
    (local.set $at (i64.const 0))
    (block $write8
      (loop $next
        (br_if $write8 (i64.gt_u (i64.add (local.get $at) (i64.const 8)) (local.get $length)))
        (call $store_u64 (i64.add (local.get $output) (local.get $at)) (i64.load (i32.wrap_i64 (local.get $at))))
        (local.set $at (i64.add (local.get $at) (i64.const 8)))
        (br $next)))
    (block $write1
      (loop $next
        (br_if $write1 (i64.ge_u (local.get $at) (local.get $length)))
        (call $store_u8 (i64.add (local.get $output) (local.get $at)) (i32.load8_u (i32.wrap_i64 (local.get $at))))
        (local.set $at (i64.add (local.get $at) (i64.const 1)))
        (br $next)))
    (call $output_set (local.get $output) (local.get $length))
    i32.const 0))
