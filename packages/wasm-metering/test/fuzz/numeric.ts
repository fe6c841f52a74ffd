/**
 * @module What numeric operators compute (core specification 4.3), for the interpreter: i32 is a
 * signed number, i64 a signed bigint, floats are numbers. NaN has no payload here.
 */

/** Ends a run as the engine would. */
export class Trap extends Error {}

/** A number or a reference on the stack of the interpreter. */
export type Value = number | bigint | object | null;

type Operation = (...operands: never[]) => Value;

const view = new DataView(new ArrayBuffer(8));
const f32 = Math.fround;
const flag = (condition: boolean): number => (condition ? 1 : 0);
const wide = (value: bigint): bigint => BigInt.asIntN(64, value);
const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value);

const I32: Readonly<Record<string, Operation>> = {
  eqz: (a: number) => flag(a === 0),
  eq: (a: number, b: number) => flag(a === b),
  ne: (a: number, b: number) => flag(a !== b),
  lt_s: (a: number, b: number) => flag(a < b),
  lt_u: (a: number, b: number) => flag(a >>> 0 < b >>> 0),
  gt_s: (a: number, b: number) => flag(a > b),
  gt_u: (a: number, b: number) => flag(a >>> 0 > b >>> 0),
  le_s: (a: number, b: number) => flag(a <= b),
  le_u: (a: number, b: number) => flag(a >>> 0 <= b >>> 0),
  ge_s: (a: number, b: number) => flag(a >= b),
  ge_u: (a: number, b: number) => flag(a >>> 0 >= b >>> 0),
  clz: (a: number) => Math.clz32(a),
  ctz: (a: number) => (a === 0 ? 32 : 31 - Math.clz32(a & -a)),
  popcnt: (a: number) => ones(BigInt(a >>> 0)),
  add: (a: number, b: number) => (a + b) | 0,
  sub: (a: number, b: number) => (a - b) | 0,
  mul: (a: number, b: number) => Math.imul(a, b),
  div_s: (a: number, b: number) => {
    if (b === 0 || (a === -0x8000_0000 && b === -1)) throw new Trap("division");
    return (a / b) | 0;
  },
  div_u: (a: number, b: number) => ((a >>> 0) / divisor(b >>> 0)) | 0,
  rem_s: (a: number, b: number) => (a % divisor(b)) | 0,
  rem_u: (a: number, b: number) => ((a >>> 0) % divisor(b >>> 0)) | 0,
  and: (a: number, b: number) => a & b,
  or: (a: number, b: number) => a | b,
  xor: (a: number, b: number) => a ^ b,
  shl: (a: number, b: number) => a << b,
  shr_s: (a: number, b: number) => a >> b,
  shr_u: (a: number, b: number) => (a >>> b) | 0,
  rotl: (a: number, b: number) => (a << b) | (a >>> -b),
  rotr: (a: number, b: number) => (a >>> b) | (a << -b),
  wrap_i64: (a: bigint) => Number(BigInt.asIntN(32, a)),
  extend8_s: (a: number) => (a << 24) >> 24,
  extend16_s: (a: number) => (a << 16) >> 16,
  reinterpret_f32: (a: number) => {
    view.setFloat32(0, a);
    return view.getInt32(0);
  },
};

const I64: Readonly<Record<string, Operation>> = {
  eqz: (a: bigint) => flag(a === 0n),
  eq: (a: bigint, b: bigint) => flag(a === b),
  ne: (a: bigint, b: bigint) => flag(a !== b),
  lt_s: (a: bigint, b: bigint) => flag(a < b),
  lt_u: (a: bigint, b: bigint) => flag(unsigned(a) < unsigned(b)),
  gt_s: (a: bigint, b: bigint) => flag(a > b),
  gt_u: (a: bigint, b: bigint) => flag(unsigned(a) > unsigned(b)),
  le_s: (a: bigint, b: bigint) => flag(a <= b),
  le_u: (a: bigint, b: bigint) => flag(unsigned(a) <= unsigned(b)),
  ge_s: (a: bigint, b: bigint) => flag(a >= b),
  ge_u: (a: bigint, b: bigint) => flag(unsigned(a) >= unsigned(b)),
  clz: (a: bigint) => BigInt(a === 0n ? 64 : 64 - unsigned(a).toString(2).length),
  ctz: (a: bigint) => BigInt(a === 0n ? 64 : unsigned(a & -a).toString(2).length - 1),
  popcnt: (a: bigint) => BigInt(ones(unsigned(a))),
  add: (a: bigint, b: bigint) => wide(a + b),
  sub: (a: bigint, b: bigint) => wide(a - b),
  mul: (a: bigint, b: bigint) => wide(a * b),
  div_s: (a: bigint, b: bigint) => {
    if (b === 0n || (a === -(2n ** 63n) && b === -1n)) throw new Trap("division");
    return a / b;
  },
  div_u: (a: bigint, b: bigint) => wide(unsigned(a) / divisor(unsigned(b))),
  rem_s: (a: bigint, b: bigint) => a % divisor(b),
  rem_u: (a: bigint, b: bigint) => wide(unsigned(a) % divisor(unsigned(b))),
  and: (a: bigint, b: bigint) => a & b,
  or: (a: bigint, b: bigint) => a | b,
  xor: (a: bigint, b: bigint) => a ^ b,
  shl: (a: bigint, b: bigint) => wide(a << (b & 63n)),
  shr_s: (a: bigint, b: bigint) => a >> (b & 63n),
  shr_u: (a: bigint, b: bigint) => wide(unsigned(a) >> (b & 63n)),
  rotl: (a: bigint, b: bigint) => rotate(a, b & 63n),
  rotr: (a: bigint, b: bigint) => rotate(a, -b & 63n),
  extend_i32_s: (a: number) => BigInt(a),
  extend_i32_u: (a: number) => BigInt(a >>> 0),
  extend8_s: (a: bigint) => BigInt.asIntN(8, a),
  extend16_s: (a: bigint) => BigInt.asIntN(16, a),
  extend32_s: (a: bigint) => BigInt.asIntN(32, a),
  reinterpret_f64: (a: number) => {
    view.setFloat64(0, a);
    return view.getBigInt64(0);
  },
};

/** Operators that both floats have; those of f32 round what these give. */
const FLOATS: Readonly<Record<string, Operation>> = {
  eq: (a: number, b: number) => flag(a === b),
  ne: (a: number, b: number) => flag(a !== b),
  lt: (a: number, b: number) => flag(a < b),
  gt: (a: number, b: number) => flag(a > b),
  le: (a: number, b: number) => flag(a <= b),
  ge: (a: number, b: number) => flag(a >= b),
  abs: (a: number) => Math.abs(a),
  neg: (a: number) => -a,
  ceil: (a: number) => Math.ceil(a),
  floor: (a: number) => Math.floor(a),
  trunc: (a: number) => Math.trunc(a),
  nearest: (a: number) => nearest(a),
  sqrt: (a: number) => Math.sqrt(a),
  add: (a: number, b: number) => a + b,
  sub: (a: number, b: number) => a - b,
  mul: (a: number, b: number) => a * b,
  div: (a: number, b: number) => a / b,
  min: (a: number, b: number) => Math.min(a, b),
  max: (a: number, b: number) => Math.max(a, b),
  copysign: (a: number, b: number) => (isNegative(a) === isNegative(b) ? a : -a),
  convert_i32_s: (a: number) => a,
  convert_i32_u: (a: number) => a >>> 0,
};

const OF_F32: Readonly<Record<string, Operation>> = {
  convert_i64_s: (a: bigint) => nearestF32(a),
  convert_i64_u: (a: bigint) => nearestF32(unsigned(a)),
  demote_f64: (a: number) => f32(a),
  reinterpret_i32: (a: number) => {
    view.setInt32(0, a);
    return view.getFloat32(0);
  },
};
const OF_F64: Readonly<Record<string, Operation>> = {
  promote_f32: (a: number) => a,
  convert_i64_s: Number,
  convert_i64_u: (a: bigint) => Number(unsigned(a)),
  reinterpret_i64: (a: bigint) => {
    view.setBigInt64(0, a);
    return view.getFloat64(0);
  },
};

const TRUNCATION = /^i(?<size>32|64)\.trunc(?<saturates>_sat)?_f(?:32|64)_(?<sign>[su])$/;

/** The operator's operation, or `undefined` where it computes no number. */
export function operationOf(name: string): Operation | undefined {
  const [type = "", rest = ""] = name.split(".");
  const truncation = TRUNCATION.exec(name)?.groups;
  if (truncation !== undefined) {
    const { size, saturates, sign } = truncation;
    return (a: number) => truncate(a, Number(size), sign === "s", saturates !== undefined);
  }
  if (type === "i32") return I32[rest];
  if (type === "i64") return I64[rest];
  if (type === "f64") return OF_F64[rest] ?? FLOATS[rest];
  const exact = type === "f32" ? FLOATS[rest] : undefined;
  if (exact === undefined) return type === "f32" ? OF_F32[rest] : undefined;
  const arity = exact.length;
  // As many parameters as the operator has operands.
  return arity === 1
    ? (a: number) => f32(exact(a as never) as number)
    : (a: number, b: number) => f32(exact(a as never, b as never) as number);
}

function truncate(a: number, size: number, isSigned: boolean, saturates: boolean): Value {
  const low = isSigned ? -(2 ** (size - 1)) : 0;
  const high = isSigned ? 2 ** (size - 1) : 2 ** size;
  const whole = Math.trunc(a);
  const fits = whole >= low && whole < high;
  if (!fits && !saturates) throw new Trap("conversion");
  const value = fits ? BigInt(whole) : a >= high ? BigInt(high) - 1n : a < low ? BigInt(low) : 0n;
  return size === 32 ? Number(BigInt.asIntN(32, value)) : wide(value);
}

function divisor<T extends number | bigint>(value: T): T {
  if (Number(value) === 0) throw new Trap("division");
  return value;
}

function rotate(a: bigint, by: bigint): bigint {
  const bits = unsigned(a);
  return wide((bits << by) | (bits >> (64n - by)));
}

/** Rounds once: what a double cannot hold of the integer is kept as one bit far below. */
function nearestF32(a: bigint): number {
  const magnitude = a < 0n ? -a : a;
  if (magnitude < 2n ** 53n) return f32(Number(a));
  const sticky = (magnitude & 0x7ffn) === 0n ? 0n : 0x800n;
  const kept = f32(Number((magnitude & ~0x7ffn) | sticky));
  return a < 0n ? -kept : kept;
}

function ones(bits: bigint): number {
  return bits.toString(2).replaceAll("0", "").length;
}

function isNegative(a: number): boolean {
  return a < 0 || Object.is(a, -0);
}

/** To the nearest integer, to the even one of two, keeping the sign of zero. */
function nearest(a: number): number {
  if (!Number.isFinite(a) || Math.abs(a) >= 2 ** 52) return a;
  const below = Math.floor(a);
  const rest = a - below;
  const rounded = rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below;
  return rounded === 0 && isNegative(a) ? -0 : rounded;
}
