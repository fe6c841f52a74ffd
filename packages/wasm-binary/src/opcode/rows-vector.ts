/**
 * @module Rows of the opcode table: vectors and atomics (prefixes 0xfd and 0xfe). How a row reads is
 * told in operator.ts.
 */

/** Prefixed opcodes, by proposal. */
export const VECTOR_ROWS = {
  simd: `
    fd:00 v128.load [memarg] : addr -> v128
    fd:01 v128.{load8x8_s load8x8_u load16x4_s load16x4_u load32x2_s load32x2_u} [memarg] : addr -> v128
    fd:07 v128.{load8_splat load16_splat load32_splat load64_splat} [memarg] : addr -> v128
    fd:0b v128.store [memarg] : addr v128 ->
    fd:0c v128.const [v128] : -> v128 ; const
    fd:0d i8x16.shuffle [lanes] : v128 v128 -> v128
    fd:0e i8x16.swizzle : v128 v128 -> v128
    fd:0f i8x16.splat : i32 -> v128
    fd:10 i16x8.splat : i32 -> v128
    fd:11 i32x4.splat : i32 -> v128
    fd:12 i64x2.splat : i64 -> v128
    fd:13 f32x4.splat : f32 -> v128
    fd:14 f64x2.splat : f64 -> v128
    fd:15 i8x16.{extract_lane_s extract_lane_u} [lane] : v128 -> i32
    fd:17 i8x16.replace_lane [lane] : v128 i32 -> v128
    fd:18 i16x8.{extract_lane_s extract_lane_u} [lane] : v128 -> i32
    fd:1a i16x8.replace_lane [lane] : v128 i32 -> v128
    fd:1b i32x4.extract_lane [lane] : v128 -> i32
    fd:1c i32x4.replace_lane [lane] : v128 i32 -> v128
    fd:1d i64x2.extract_lane [lane] : v128 -> i64
    fd:1e i64x2.replace_lane [lane] : v128 i64 -> v128
    fd:1f f32x4.extract_lane [lane] : v128 -> f32
    fd:20 f32x4.replace_lane [lane] : v128 f32 -> v128
    fd:21 f64x2.extract_lane [lane] : v128 -> f64
    fd:22 f64x2.replace_lane [lane] : v128 f64 -> v128
    fd:23 i8x16.{eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u} : v128 v128 -> v128
    fd:2d i16x8.{eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u} : v128 v128 -> v128
    fd:37 i32x4.{eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u} : v128 v128 -> v128
    fd:41 f32x4.{eq ne lt gt le ge} : v128 v128 -> v128
    fd:47 f64x2.{eq ne lt gt le ge} : v128 v128 -> v128
    fd:4d v128.not : v128 -> v128
    fd:4e v128.{and andnot or xor} : v128 v128 -> v128
    fd:52 v128.bitselect : v128 v128 v128 -> v128
    fd:53 v128.any_true : v128 -> i32
    fd:54 v128.{load8_lane load16_lane load32_lane load64_lane} [memarg lane] : addr v128 -> v128
    fd:58 v128.{store8_lane store16_lane store32_lane store64_lane} [memarg lane] : addr v128 ->
    fd:5c v128.{load32_zero load64_zero} [memarg] : addr -> v128
    fd:5e f32x4.demote_f64x2_zero : v128 -> v128
    fd:5f f64x2.promote_low_f32x4 : v128 -> v128
    fd:60 i8x16.{abs neg popcnt} : v128 -> v128
    fd:63 i8x16.{all_true bitmask} : v128 -> i32
    fd:65 i8x16.{narrow_i16x8_s narrow_i16x8_u} : v128 v128 -> v128
    fd:67 f32x4.{ceil floor trunc nearest} : v128 -> v128
    fd:6b i8x16.{shl shr_s shr_u} : v128 i32 -> v128
    fd:6e i8x16.{add add_sat_s add_sat_u sub sub_sat_s sub_sat_u} : v128 v128 -> v128
    fd:74 f64x2.{ceil floor} : v128 -> v128
    fd:76 i8x16.{min_s min_u max_s max_u} : v128 v128 -> v128
    fd:7a f64x2.trunc : v128 -> v128
    fd:7b i8x16.avgr_u : v128 v128 -> v128
    fd:7c i16x8.{extadd_pairwise_i8x16_s extadd_pairwise_i8x16_u} : v128 -> v128
    fd:7e i32x4.{extadd_pairwise_i16x8_s extadd_pairwise_i16x8_u} : v128 -> v128
    fd:80 i16x8.{abs neg} : v128 -> v128
    fd:82 i16x8.q15mulr_sat_s : v128 v128 -> v128
    fd:83 i16x8.{all_true bitmask} : v128 -> i32
    fd:85 i16x8.{narrow_i32x4_s narrow_i32x4_u} : v128 v128 -> v128
    fd:87 i16x8.{extend_low_i8x16_s extend_high_i8x16_s extend_low_i8x16_u extend_high_i8x16_u} : v128 -> v128
    fd:8b i16x8.{shl shr_s shr_u} : v128 i32 -> v128
    fd:8e i16x8.{add add_sat_s add_sat_u sub sub_sat_s sub_sat_u} : v128 v128 -> v128
    fd:94 f64x2.nearest : v128 -> v128
    fd:95 i16x8.{mul min_s min_u max_s max_u} : v128 v128 -> v128
    fd:9b i16x8.avgr_u : v128 v128 -> v128
    fd:9c i16x8.{extmul_low_i8x16_s extmul_high_i8x16_s extmul_low_i8x16_u extmul_high_i8x16_u} : v128 v128 -> v128
    fd:a0 i32x4.{abs neg} : v128 -> v128
    fd:a3 i32x4.{all_true bitmask} : v128 -> i32
    fd:a7 i32x4.{extend_low_i16x8_s extend_high_i16x8_s extend_low_i16x8_u extend_high_i16x8_u} : v128 -> v128
    fd:ab i32x4.{shl shr_s shr_u} : v128 i32 -> v128
    fd:ae i32x4.add : v128 v128 -> v128
    fd:b1 i32x4.sub : v128 v128 -> v128
    fd:b5 i32x4.{mul min_s min_u max_s max_u dot_i16x8_s} : v128 v128 -> v128
    fd:bc i32x4.{extmul_low_i16x8_s extmul_high_i16x8_s extmul_low_i16x8_u extmul_high_i16x8_u} : v128 v128 -> v128
    fd:c0 i64x2.{abs neg} : v128 -> v128
    fd:c3 i64x2.{all_true bitmask} : v128 -> i32
    fd:c7 i64x2.{extend_low_i32x4_s extend_high_i32x4_s extend_low_i32x4_u extend_high_i32x4_u} : v128 -> v128
    fd:cb i64x2.{shl shr_s shr_u} : v128 i32 -> v128
    fd:ce i64x2.add : v128 v128 -> v128
    fd:d1 i64x2.sub : v128 v128 -> v128
    fd:d5 i64x2.{mul eq ne lt_s gt_s le_s ge_s} : v128 v128 -> v128
    fd:dc i64x2.{extmul_low_i32x4_s extmul_high_i32x4_s extmul_low_i32x4_u extmul_high_i32x4_u} : v128 v128 -> v128
    fd:e0 f32x4.{abs neg} : v128 -> v128
    fd:e3 f32x4.sqrt : v128 -> v128 ; cost=divide
    fd:e4 f32x4.{add sub mul} : v128 v128 -> v128
    fd:e7 f32x4.div : v128 v128 -> v128 ; cost=divide
    fd:e8 f32x4.{min max pmin pmax} : v128 v128 -> v128
    fd:ec f64x2.{abs neg} : v128 -> v128
    fd:ef f64x2.sqrt : v128 -> v128 ; cost=divide
    fd:f0 f64x2.{add sub mul} : v128 v128 -> v128
    fd:f3 f64x2.div : v128 v128 -> v128 ; cost=divide
    fd:f4 f64x2.{min max pmin pmax} : v128 v128 -> v128
    fd:f8 i32x4.{trunc_sat_f32x4_s trunc_sat_f32x4_u} : v128 -> v128
    fd:fa f32x4.{convert_i32x4_s convert_i32x4_u} : v128 -> v128
    fd:fc i32x4.{trunc_sat_f64x2_s_zero trunc_sat_f64x2_u_zero} : v128 -> v128
    fd:fe f64x2.{convert_low_i32x4_s convert_low_i32x4_u} : v128 -> v128
  `,
  "relaxed-simd": `
    fd:100 i8x16.relaxed_swizzle : v128 v128 -> v128
    fd:101 i32x4.{relaxed_trunc_f32x4_s relaxed_trunc_f32x4_u relaxed_trunc_f64x2_s_zero relaxed_trunc_f64x2_u_zero} : v128 -> v128
    fd:105 f32x4.{relaxed_madd relaxed_nmadd} : v128 v128 v128 -> v128
    fd:107 f64x2.{relaxed_madd relaxed_nmadd} : v128 v128 v128 -> v128
    fd:109 i8x16.relaxed_laneselect : v128 v128 v128 -> v128
    fd:10a i16x8.relaxed_laneselect : v128 v128 v128 -> v128
    fd:10b i32x4.relaxed_laneselect : v128 v128 v128 -> v128
    fd:10c i64x2.relaxed_laneselect : v128 v128 v128 -> v128
    fd:10d f32x4.{relaxed_min relaxed_max} : v128 v128 -> v128
    fd:10f f64x2.{relaxed_min relaxed_max} : v128 v128 -> v128
    fd:111 i16x8.{relaxed_q15mulr_s relaxed_dot_i8x16_i7x16_s} : v128 v128 -> v128
    fd:113 i32x4.relaxed_dot_i8x16_i7x16_add_s : v128 v128 v128 -> v128
  `,
  threads: `
    fe:00 memory.atomic.notify [memarg] : addr i32 -> i32 ; cost=wait
    fe:01 memory.atomic.wait32 [memarg] : addr i32 i64 -> i32 ; cost=wait
    fe:02 memory.atomic.wait64 [memarg] : addr i64 i64 -> i32 ; cost=wait
    fe:03 atomic.fence [zero] : -> ; cost=atomic
    fe:10 i32.atomic.load [memarg] : addr -> i32 ; cost=atomic
    fe:11 i64.atomic.load [memarg] : addr -> i64 ; cost=atomic
    fe:12 i32.atomic.{load8_u load16_u} [memarg] : addr -> i32 ; cost=atomic
    fe:14 i64.atomic.{load8_u load16_u load32_u} [memarg] : addr -> i64 ; cost=atomic
    fe:17 i32.atomic.store [memarg] : addr i32 -> ; cost=atomic
    fe:18 i64.atomic.store [memarg] : addr i64 -> ; cost=atomic
    fe:19 i32.atomic.{store8 store16} [memarg] : addr i32 -> ; cost=atomic
    fe:1b i64.atomic.{store8 store16 store32} [memarg] : addr i64 -> ; cost=atomic
${["add", "sub", "and", "or", "xor", "xchg"].map((name, index) => atomicRows(name, 0x1e + 7 * index, "")).join("")}
${atomicRows("cmpxchg", 0x48, "T ")}
  `,
} as const;

/** The seven widths of one read-modify-write; `expected` is `T ` where it takes a second operand. */
function atomicRows(name: string, first: number, expected: string): string {
  const widths = ["i32 ", "i64 ", "i32 8", "i32 16", "i64 8", "i64 16", "i64 32"];
  return widths
    .map((width, index) => {
      const [type = "", bits = ""] = width.split(" ");
      const operands = `${expected.replace("T", type)}${type}`;
      const suffix = bits === "" ? name : `${name}_u`;
      return `fe:${(first + index).toString(16)} ${type}.atomic.rmw${bits}.${suffix} [memarg] : addr ${operands} -> ${type} ; cost=atomic\n`;
    })
    .join("");
}
