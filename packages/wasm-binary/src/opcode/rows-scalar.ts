/**
 * @module Rows of the opcode table: control, variables, scalar numbers, memory (WebAssembly core
 * specification 5.4). How a row reads is told in operator.ts.
 */

/** One-byte opcodes, by proposal. */
export const SCALAR_ROWS = {
  mvp: `
    00 unreachable : * -> *
    01 nop : ->
    02 block [block-type] : * -> * ; cost=structure
    03 loop [block-type] : * -> * ; cost=structure
    04 if [block-type] : * -> *
    05 else : * -> * ; cost=structure
    0b end : * -> * ; cost=structure const
    0c br [label] : * -> *
    0d br_if [label] : * -> *
    0e br_table [labels] : * -> *
    0f return : * -> *
    10 call [function] : * -> * ; cost=call
    11 call_indirect [type table] : * -> * ; cost=indirect
    1a drop : * -> *
    1b select : * -> *
    20 local.get [local] : * -> *
    21 local.set [local] : * -> *
    22 local.tee [local] : * -> *
    23 global.get [global] : * -> * ; const
    24 global.set [global] : * -> *
    28 i32.load [memarg] : addr -> i32
    29 i64.load [memarg] : addr -> i64
    2a f32.load [memarg] : addr -> f32
    2b f64.load [memarg] : addr -> f64
    2c i32.{load8_s load8_u load16_s load16_u} [memarg] : addr -> i32
    30 i64.{load8_s load8_u load16_s load16_u load32_s load32_u} [memarg] : addr -> i64
    36 i32.store [memarg] : addr i32 ->
    37 i64.store [memarg] : addr i64 ->
    38 f32.store [memarg] : addr f32 ->
    39 f64.store [memarg] : addr f64 ->
    3a i32.{store8 store16} [memarg] : addr i32 ->
    3c i64.{store8 store16 store32} [memarg] : addr i64 ->
    3f memory.size [memory] : -> addr
    40 memory.grow [memory] : addr -> addr ; cost=grow
    41 i32.const [i32] : -> i32 ; const
    42 i64.const [i64] : -> i64 ; const
    43 f32.const [f32] : -> f32 ; const
    44 f64.const [f64] : -> f64 ; const
    45 i32.eqz : i32 -> i32
    46 i32.{eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u} : i32 i32 -> i32
    50 i64.eqz : i64 -> i32
    51 i64.{eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u} : i64 i64 -> i32
    5b f32.{eq ne lt gt le ge} : f32 f32 -> i32
    61 f64.{eq ne lt gt le ge} : f64 f64 -> i32
    67 i32.{clz ctz popcnt} : i32 -> i32
    6a i32.{add sub mul} : i32 i32 -> i32 ; const
    6d i32.{div_s div_u rem_s rem_u} : i32 i32 -> i32 ; cost=divide
    71 i32.{and or xor shl shr_s shr_u rotl rotr} : i32 i32 -> i32
    79 i64.{clz ctz popcnt} : i64 -> i64
    7c i64.{add sub mul} : i64 i64 -> i64 ; const
    7f i64.{div_s div_u rem_s rem_u} : i64 i64 -> i64 ; cost=divide
    83 i64.{and or xor shl shr_s shr_u rotl rotr} : i64 i64 -> i64
    8b f32.{abs neg ceil floor trunc nearest} : f32 -> f32
    91 f32.sqrt : f32 -> f32 ; cost=divide
    92 f32.{add sub mul} : f32 f32 -> f32
    95 f32.div : f32 f32 -> f32 ; cost=divide
    96 f32.{min max copysign} : f32 f32 -> f32
    99 f64.{abs neg ceil floor trunc nearest} : f64 -> f64
    9f f64.sqrt : f64 -> f64 ; cost=divide
    a0 f64.{add sub mul} : f64 f64 -> f64
    a3 f64.div : f64 f64 -> f64 ; cost=divide
    a4 f64.{min max copysign} : f64 f64 -> f64
    a7 i32.wrap_i64 : i64 -> i32
    a8 i32.{trunc_f32_s trunc_f32_u} : f32 -> i32
    aa i32.{trunc_f64_s trunc_f64_u} : f64 -> i32
    ac i64.{extend_i32_s extend_i32_u} : i32 -> i64
    ae i64.{trunc_f32_s trunc_f32_u} : f32 -> i64
    b0 i64.{trunc_f64_s trunc_f64_u} : f64 -> i64
    b2 f32.{convert_i32_s convert_i32_u} : i32 -> f32
    b4 f32.{convert_i64_s convert_i64_u} : i64 -> f32
    b6 f32.demote_f64 : f64 -> f32
    b7 f64.{convert_i32_s convert_i32_u} : i32 -> f64
    b9 f64.{convert_i64_s convert_i64_u} : i64 -> f64
    bb f64.promote_f32 : f32 -> f64
    bc i32.reinterpret_f32 : f32 -> i32
    bd i64.reinterpret_f64 : f64 -> i64
    be f32.reinterpret_i32 : i32 -> f32
    bf f64.reinterpret_i64 : i64 -> f64
  `,
  "sign-extension": `
    c0 i32.{extend8_s extend16_s} : i32 -> i32
    c2 i64.{extend8_s extend16_s extend32_s} : i64 -> i64
  `,
  "saturating-conversion": `
    fc:00 i32.{trunc_sat_f32_s trunc_sat_f32_u} : f32 -> i32
    fc:02 i32.{trunc_sat_f64_s trunc_sat_f64_u} : f64 -> i32
    fc:04 i64.{trunc_sat_f32_s trunc_sat_f32_u} : f32 -> i64
    fc:06 i64.{trunc_sat_f64_s trunc_sat_f64_u} : f64 -> i64
  `,
  "bulk-memory": `
    fc:08 memory.init [data memory] : addr i32 i32 -> ; cost=bulk-bytes
    fc:09 data.drop [data] : ->
    fc:0a memory.copy [memory memory] : addr addr addr -> ; cost=bulk-bytes
    fc:0b memory.fill [memory] : addr i32 addr -> ; cost=bulk-bytes
    fc:0c table.init [element table] : addr i32 i32 -> ; cost=bulk-table
    fc:0d elem.drop [element] : ->
    fc:0e table.copy [table table] : addr addr addr -> ; cost=bulk-table
  `,
  "reference-types": `
    1c select [types] : * -> *
    25 table.get [table] : * -> * ; cost=table
    26 table.set [table] : * -> * ; cost=table
    d0 ref.null [heap-type] : * -> * ; const
    d1 ref.is_null : * -> *
    d2 ref.func [function] : * -> * ; const
    fc:0f table.grow [table] : * -> * ; cost=bulk-table
    fc:10 table.size [table] : -> addr
    fc:11 table.fill [table] : * -> * ; cost=bulk-table
  `,
  "tail-call": `
    12 return_call [function] : * -> * ; cost=call
    13 return_call_indirect [type table] : * -> * ; cost=indirect
  `,
  "exception-handling": `
    08 throw [tag] : * -> * ; cost=throw
    0a throw_ref : * -> * ; cost=throw
    1f try_table [block-type catches] : * -> * ; cost=structure
  `,
  "legacy-exceptions": `
    06 try [block-type] : * -> * ; cost=structure
    07 catch [tag] : * -> * ; cost=structure
    09 rethrow [label] : * -> * ; cost=throw
    18 delegate [label] : * -> * ; cost=structure
    19 catch_all : * -> * ; cost=structure
  `,
  "function-references": `
    14 call_ref [type] : * -> * ; cost=indirect
    15 return_call_ref [type] : * -> * ; cost=indirect
    d4 ref.as_non_null : * -> *
    d5 br_on_null [label] : * -> *
    d6 br_on_non_null [label] : * -> *
  `,
  gc: `
    d3 ref.eq : * -> *
    fb:00 struct.new [type] : * -> * ; cost=allocate const
    fb:01 struct.new_default [type] : * -> * ; cost=allocate const
    fb:02 struct.{get get_s get_u} [type field] : * -> *
    fb:05 struct.set [type field] : * -> *
    fb:06 array.new [type] : * -> * ; cost=allocate-array const
    fb:07 array.new_default [type] : * -> * ; cost=allocate-array const
    fb:08 array.new_fixed [type count] : * -> * ; cost=allocate const
    fb:09 array.new_data [type data] : * -> * ; cost=allocate-array
    fb:0a array.new_elem [type element] : * -> * ; cost=allocate-array
    fb:0b array.{get get_s get_u} [type] : * -> *
    fb:0e array.set [type] : * -> *
    fb:0f array.len : * -> *
    fb:10 array.fill [type] : * -> * ; cost=bulk-elements
    fb:11 array.copy [type type] : * -> * ; cost=bulk-elements
    fb:12 array.init_data [type data] : * -> * ; cost=bulk-elements
    fb:13 array.init_elem [type element] : * -> * ; cost=bulk-elements
    fb:14 ref.{test test_null cast cast_null} [heap-type] : * -> * ; cost=cast
    fb:18 br_on_cast [cast-flags label heap-type heap-type] : * -> * ; cost=cast
    fb:19 br_on_cast_fail [cast-flags label heap-type heap-type] : * -> * ; cost=cast
    fb:1a any.convert_extern : * -> * ; const
    fb:1b extern.convert_any : * -> * ; const
    fb:1c ref.i31 : i32 -> * ; const
    fb:1d i31.{get_s get_u} : * -> i32
  `,
} as const;
