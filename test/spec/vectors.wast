;; 128-bit vectors, and the relaxed operators of which either answer is right.

(module
  (memory 1)
  (data (i32.const 0) "\00\01\02\03\04\05\06\07\08\09\0a\0b\0c\0d\0e\0f")

  (func (export "load") (param i32) (result v128) (v128.load offset=0 (local.get 0)))
  (func (export "store") (param i32 v128) (v128.store (local.get 0) (local.get 1)))
  (func (export "add") (param v128 v128) (result v128) (i32x4.add (local.get 0) (local.get 1)))
  (func (export "saturate") (param v128 v128) (result v128) (i8x16.add_sat_s (local.get 0) (local.get 1)))
  (func (export "swizzle") (param v128 v128) (result v128) (i8x16.swizzle (local.get 0) (local.get 1)))
  (func (export "shuffle") (param v128 v128) (result v128)
    (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23 (local.get 0) (local.get 1)))
  (func (export "dot") (param v128 v128) (result v128) (i32x4.dot_i16x8_s (local.get 0) (local.get 1)))
  (func (export "minimum") (param v128 v128) (result v128) (f32x4.min (local.get 0) (local.get 1)))
  (func (export "lane") (param v128) (result i64) (i64x2.extract_lane 1 (local.get 0)))
  (func (export "load lane") (param i32 v128) (result v128) (v128.load16_lane 3 (local.get 0) (local.get 1)))
  (func (export "relaxed") (param v128 v128 v128) (result v128)
    (i32x4.relaxed_laneselect (local.get 0) (local.get 1) (local.get 2)))
  (func (export "sum") (param $n i32) (result v128)
    (local $sum v128)
    (loop $again
      (local.set $sum (i64x2.add (local.get $sum) (v128.const i64x2 1 -1)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))
)

(assert_return (invoke "load" (i32.const 0)) (v128.const i32x4 0x03020100 0x07060504 0x0b0a0908 0x0f0e0d0c))
(assert_trap (invoke "load" (i32.const 65521)) "out of bounds memory access")
(assert_return (invoke "store" (i32.const 16) (v128.const i64x2 -1 7)))
(assert_return (invoke "add" (v128.const i32x4 1 2 3 -1) (v128.const i32x4 1 1 1 1)) (v128.const i32x4 2 3 4 0))
(assert_return
  (invoke "saturate" (v128.const i8x16 100 -100 1 0 0 0 0 0 0 0 0 0 0 0 0 0) (v128.const i8x16 100 -100 1 0 0 0 0 0 0 0 0 0 0 0 0 0))
  (v128.const i8x16 127 -128 2 0 0 0 0 0 0 0 0 0 0 0 0 0))
(assert_return
  (invoke "swizzle" (v128.const i32x4 0x03020100 0 0 0x0f0e0d0c) (v128.const i8x16 15 14 13 12 3 2 1 0 16 255 0 0 0 0 0 1))
  (v128.const i8x16 15 14 13 12 3 2 1 0 0 0 0 0 0 0 0 1))
(assert_return
  (invoke "shuffle" (v128.const i64x2 0x1111111111111111 0) (v128.const i64x2 0x2222222222222222 0))
  (v128.const i64x2 0x2211221122112211 0x2211221122112211))
(assert_return (invoke "dot" (v128.const i16x8 1 2 3 4 5 6 7 8) (v128.const i16x8 1 1 1 1 2 2 2 2)) (v128.const i32x4 3 7 22 30))
(assert_return
  (invoke "minimum" (v128.const f32x4 nan 1 -0 2) (v128.const f32x4 1 nan 0 1.5))
  (v128.const f32x4 nan:canonical nan:canonical -0 1.5))
(assert_return (invoke "lane" (v128.const i64x2 5 -6)) (i64.const -6))
(assert_return
  (invoke "load lane" (i32.const 2) (v128.const i16x8 9 9 9 9 9 9 9 9))
  (v128.const i16x8 9 9 9 0x0302 9 9 9 9))
(assert_return
  (invoke "relaxed" (v128.const i32x4 1 1 1 1) (v128.const i32x4 2 2 2 2) (v128.const i32x4 -1 0 -1 0))
  (either (v128.const i32x4 1 2 1 2) (v128.const i32x4 1 2 1 2)))
(assert_return (invoke "sum" (i32.const 9)) (v128.const i64x2 9 -9))
(assert_invalid (module (func (result v128) (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 32 (v128.const i64x2 0 0) (v128.const i64x2 0 0)))) "invalid lane index")
