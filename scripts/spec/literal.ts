/** @module Numbers of the text format as bits (core specification 6.3.1 and 6.3.2), rounded once. */

/** The bits of an integer, in two's complement. */
export function integerBits(text: string, size: number): bigint {
  const { isNegative, digits } = signOf(text);
  const value = BigInt(digits);
  return BigInt.asUintN(size, isNegative ? -value : value);
}

/** The bits of a float. */
export function floatBits(text: string, size: 32 | 64): bigint {
  const { isNegative, digits } = signOf(text);
  const format = FORMATS[size];
  return (isNegative ? 1n << BigInt(size - 1) : 0n) | magnitude(digits, format);
}

interface Format {
  /** Bits of the significand that are stored. */
  readonly stored: number;
  readonly bias: number;
  /** The exponent field of infinity. */
  readonly top: bigint;
}

const FORMATS: Readonly<Record<32 | 64, Format>> = {
  32: { stored: 23, bias: 127, top: 255n },
  64: { stored: 52, bias: 1023, top: 2047n },
};
const DECIMAL = /^(?<whole>\d*)\.?(?<part>\d*)(?:e(?<exponent>[+-]?\d+))?$/i;
const HEX = /^0x(?<whole>[0-9a-f]*)\.?(?<part>[0-9a-f]*)(?:p(?<exponent>[+-]?\d+))?$/i;

function signOf(text: string): { readonly isNegative: boolean; readonly digits: string } {
  const plain = text.replaceAll("_", "");
  const hasSign = plain.startsWith("-") || plain.startsWith("+");
  return { isNegative: plain.startsWith("-"), digits: hasSign ? plain.slice(1) : plain };
}

function magnitude(digits: string, format: Format): bigint {
  const { stored, top } = format;
  const infinity = top << BigInt(stored);
  if (digits === "inf") return infinity;
  if (digits.startsWith("nan:")) return infinity | BigInt(digits.slice("nan:".length));
  if (digits === "nan") return infinity | (1n << BigInt(stored - 1));
  const isHex = digits.startsWith("0x") || digits.startsWith("0X");
  const fields = (isHex ? HEX : DECIMAL).exec(digits)?.groups;
  if (fields === undefined) throw new SyntaxError(`not a number: ${digits}`);
  const { whole = "", part = "", exponent = "0" } = fields;
  const value = BigInt(`${isHex ? "0x" : ""}${whole}${part}`);
  const power = Number(exponent) - (isHex ? 4 : 1) * part.length;
  const base = isHex ? 2n : 10n;
  return power >= 0
    ? round(value * base ** BigInt(power), 1n, format)
    : round(value, base ** BigInt(-power), format);
}

/** The float nearest to a fraction, to the even one of two. */
function round(numerator: bigint, denominator: bigint, { stored, bias, top }: Format): bigint {
  if (numerator === 0n) return 0n;
  let exponent = lengthOf(numerator) - lengthOf(denominator);
  if (scaled(numerator, -exponent) < scaled(denominator, exponent)) exponent--;
  // Below the smallest normal exponent the step between floats stays the same.
  const shift = stored - Math.max(exponent, 1 - bias);
  const above = scaled(numerator, shift);
  const below = scaled(denominator, -shift);
  const quotient = above / below;
  const rest = 2n * (above % below);
  const isUp = rest > below || (rest === below && (quotient & 1n) === 1n);
  const significand = quotient + (isUp ? 1n : 0n);
  // A carry out of the significand raises the exponent by itself.
  const field = BigInt(Math.max(exponent + bias - 1, 0)) << BigInt(stored);
  const bits = field + significand;
  const infinity = top << BigInt(stored);
  return bits > infinity ? infinity : bits;
}

/** `value` times 2 to the power of `shift`, where that is a multiplication; else `value`. */
function scaled(value: bigint, shift: number): bigint {
  return shift > 0 ? value << BigInt(shift) : value;
}

function lengthOf(value: bigint): number {
  return value.toString(2).length;
}
