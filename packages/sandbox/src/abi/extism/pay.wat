;; Takes units of fuel from the module that the kernel's functions work for (see kernel-toll.wat).
(module
  (import "fuel" "left" (global $left (mut i64)))

  ;; Below zero the fuel has run out: written one lower than it is, so that it is never -1, which
  ;; stands for a lost count. A trap cannot be caught by the plugin.
  (func (export "pay") (param $units i64)
    (global.set $left (i64.sub (global.get $left) (local.get $units)))
    (if (i64.lt_s (global.get $left) (i64.const 0))
      (then
        (global.set $left (i64.sub (global.get $left) (i64.const 1)))
        (unreachable)))))
