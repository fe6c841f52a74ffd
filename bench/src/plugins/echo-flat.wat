;; An echo against the flat ABI: input and output are the same range, one call at a time.
(module
  (memory (export "memory") 33 64)
  (func (export "alloc") (param $length i32) (result i32)
    i32.const 65536)
  (func (export "echo") (param $at i32) (param $length i32) (result i32 i32)
    local.get $at
    local.get $length))
