/**
 * A WASI program gives `poll_oneoff` numbers that it should not believe (CWE-190, CWE-400): lists that
 * are longer than its memory, clocks that ring in centuries or wrap around, one that rings soon among
 * thousands that never do. The host waits no longer than it must, and goes on.
 */
import { expect, it } from "vitest";

import { codeOf, openPlugin, textOf } from "../support/open-plugin.ts";

const INVAL = 28;
const SUBSCRIPTION_BYTES = 48;

/** Each export traps where the answer or the number of events is another than it must be. */
const MODULE = `(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 8)
  ;; Subscriptions to the monotonic clock.
  (func $fill (param $count i32) (param $timeout i64) (param $absolute i32) (local $at i32)
    (loop $next
      (i64.store (local.get $at) (i64.extend_i32_u (local.get $at)))
      (i32.store (i32.add (local.get $at) (i32.const 16)) (i32.const 1))
      (i64.store (i32.add (local.get $at) (i32.const 24)) (local.get $timeout))
      (i32.store (i32.add (local.get $at) (i32.const 40)) (local.get $absolute))
      (local.set $at (i32.add (local.get $at) (i32.const ${SUBSCRIPTION_BYTES})))
      (br_if $next (i32.lt_u (local.get $at)
        (i32.mul (local.get $count) (i32.const ${SUBSCRIPTION_BYTES}))))))
  (func $ask (param $count i32) (result i32)
    (call $poll (i32.const 0) (i32.const 262144) (local.get $count) (i32.const 524280)))
  (func $must (param $be i32) (param $is i32)
    (if (i32.ne (local.get $is) (local.get $be)) (then (unreachable))))
  (func (export "huge_count")
    (call $must (i32.const ${INVAL}) (call $ask (i32.const -1)))
    (call $must (i32.const ${INVAL}) (call $ask (i32.const 0x7fffffff)))
    (call $must (i32.const ${INVAL}) (call $ask (i32.const 4097)))
    (call $must (i32.const ${INVAL}) (call $ask (i32.const 0))))
  (func (export "soonest_of_many")
    (call $fill (i32.const 4096) (i64.const 0x7fffffffffffffff) (i32.const 0))
    (i64.store (i32.const 24) (i64.const 1000000))
    (call $must (i32.const 0) (call $ask (i32.const 4096)))
    (call $must (i32.const 1) (i32.load (i32.const 524280))))
  (func (export "long_past")
    (call $fill (i32.const 1) (i64.const 1) (i32.const 1))
    (call $must (i32.const 0) (call $ask (i32.const 1)))
    (call $must (i32.const 1) (i32.load (i32.const 524280))))
  (func (export "far_future")
    (call $fill (i32.const 2) (i64.const 0x8000000000000000) (i32.const 0))
    (drop (call $ask (i32.const 2))))
  (func (export "far_absolute")
    (call $fill (i32.const 2) (i64.const -1) (i32.const 1))
    (drop (call $ask (i32.const 2))))
  (func (export "fine")))`;

it("answers lists that are too long, soon and past clocks at once", async () => {
  await using open = await openPlugin(MODULE, { abi: "wasi", limits: { wallMs: 20_000 } });
  for (const name of ["huge_count", "soonest_of_many", "long_past"])
    expect(textOf(await open.call(name))).toBe("");
});

it("ends a wait for a clock of another century at its limit, and goes on", async () => {
  await using open = await openPlugin(MODULE, { abi: "wasi", limits: { wallMs: 500 } });
  for (const name of ["far_future", "far_absolute"])
    expect(codeOf(await open.call(name))).toBe("SANDBOX_WALL_LIMIT");
  expect(textOf(await open.call("fine"))).toBe("");
});
