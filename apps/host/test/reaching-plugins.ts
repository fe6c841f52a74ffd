/** @module Plugins that reach outside through their grants, as text. */

/** Answers what the file says that the input names in the first granted folder; nothing if it may not. */
export const READER: string = `(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func $range (param $at i32) (param $length i32) (result i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $length))
    (i32.const 0))
  (func (export "_start")
    (drop (call $read (i32.const 0) (call $range (i32.const 64) (i32.const 100)) (i32.const 1) (i32.const 8)))
    (if (call $open (i32.const 3) (i32.const 0) (i32.const 64) (i32.load (i32.const 8))
      (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 16)) (then (return)))
    (drop (call $read (i32.load (i32.const 16)) (call $range (i32.const 256) (i32.const 100)) (i32.const 1) (i32.const 8)))
    (drop (call $write (i32.const 1) (call $range (i32.const 256) (i32.load (i32.const 8))) (i32.const 1) (i32.const 8)))))`;

/** Makes the request that is its input, and answers the body of the response. */
export const FETCHER: string = `(module
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "input_length" (func $size (result i64)))
  (import "extism:host/env" "input_load_u8" (func $input (param i64) (result i32)))
  (import "extism:host/env" "store_u8" (func $store (param i64 i32)))
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/env" "output_set" (func $output (param i64 i64)))
  (import "extism:host/env" "http_request" (func $request (param i64 i64) (result i64)))
  (func (export "fetch") (result i32) (local $at i64) (local $block i64)
    (local.set $block (call $alloc (call $size)))
    (loop $next
      (call $store (i64.add (local.get $block) (local.get $at)) (call $input (local.get $at)))
      (local.set $at (i64.add (local.get $at) (i64.const 1)))
      (br_if $next (i64.lt_u (local.get $at) (call $size))))
    (local.set $block (call $request (local.get $block) (i64.const 0)))
    (call $output (local.get $block) (call $length (local.get $block)))
    (i32.const 0)))`;

/** Opens `rates.txt` in the first granted folder, and then makes the request that is its input. */
export const HOLDER: string = FETCHER.replace(
  '(func (export "fetch") (result i32) (local $at i64) (local $block i64)',
  `(import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "rates.txt")
  (func (export "fetch") (result i32) (local $at i64) (local $block i64)
    (if (call $open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 9)
      (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 16)) (then unreachable))`,
);
