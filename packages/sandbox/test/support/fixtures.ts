/** @module WebAssembly text that several tests share. */

/** Memory and an allocator that always answers the same place: one call at a time. */
export const FLAT_BASE = `
  (memory (export "memory") 2)
  (func (export "alloc") (param i32) (result i32) (i32.const 1024))`;

/** A flat plugin with an echo and the given functions. */
export function flatPlugin(functions = ""): string {
  return `(module ${FLAT_BASE}
    (func (export "echo") (param i32 i32) (result i32 i32) (local.get 0) (local.get 1))
    (func (export "spin") (param i32 i32) (result i32 i32) (loop $l (br $l)) (unreachable))
    ${functions})`;
}
