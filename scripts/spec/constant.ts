/** @module Arguments and expected results of a script: numbers by their bits, references by their kind. */
import { floatBits, integerBits } from "./literal.ts";
import type { Form, List } from "./s-expression.ts";

/** A class of bits that a NaN must be of. */
type NanPattern = "nan:canonical" | "nan:arithmetic";

/** A number or vector as lanes, the lowest first. Numbers have one lane. */
export interface NumberConstant {
  readonly kind: "number";
  /** i32, i64, f32, f64 or v128. */
  readonly type: string;
  readonly laneBytes: number;
  readonly lanes: readonly (bigint | NanPattern)[];
}

/** A reference; `id` is the number of a host's reference, where the script gives one. */
export interface ReferenceConstant {
  readonly kind: "reference";
  /** What stands behind `ref.`: null, func, extern, host, i31, struct and so on. */
  readonly form: string;
  /** The heap type of a null, where the script gives one. */
  readonly heapType: string | undefined;
  readonly id: number | undefined;
}

/** Several results of which one is enough. */
interface Choice {
  readonly kind: "either";
  readonly choices: readonly Constant[];
}

/** What a script passes or expects. */
export type Constant = NumberConstant | ReferenceConstant | Choice;

const SCALARS: Readonly<Record<string, number>> = { i32: 4, i64: 8, f32: 4, f64: 8 };
const SHAPES: Readonly<Record<string, number>> = {
  i8x16: 1,
  i16x8: 2,
  i32x4: 4,
  i64x2: 8,
  f32x4: 4,
  f64x2: 8,
};

/** Reads a constant. @throws SyntaxError for what is none. */
export function readConstant(form: Form): Constant {
  if (form.kind !== "list") throw new SyntaxError("a constant is a list");
  const [head, ...rest] = wordsOf(form);
  if (head === "either") return { kind: "either", choices: form.items.slice(1).map(readConstant) };
  if (head?.startsWith("ref.") === true) {
    const id = /^\d+$/.test(rest[0] ?? "") ? Number(rest[0]) : undefined;
    return {
      kind: "reference",
      form: head.slice("ref.".length),
      heapType: id === undefined ? rest[0] : undefined,
      id,
    };
  }
  const type = head?.endsWith(".const") === true ? head.slice(0, -".const".length) : "";
  const shape = type === "v128" ? rest.shift() : type;
  const laneBytes = (type === "v128" ? SHAPES : SCALARS)[shape ?? ""];
  if (laneBytes === undefined) throw new SyntaxError(`not a constant: ${head}`);
  const isFloat = shape?.startsWith("f") === true;
  return {
    kind: "number",
    type,
    laneBytes,
    lanes: rest.map((text) => readLane(text, laneBytes, isFloat)),
  };
}

function readLane(text: string, laneBytes: number, isFloat: boolean): bigint | NanPattern {
  if (text === "nan:canonical" || text === "nan:arithmetic") return text;
  if (!isFloat) return integerBits(text, 8 * laneBytes);
  return floatBits(text, laneBytes === 4 ? 32 : 64);
}

/** The words at the front of a list. */
export function wordsOf({ items }: List): string[] {
  return items.flatMap((item) => (item.kind === "word" ? [item.text] : []));
}

/** Whether the bytes of a result are what a script expects. */
export function matchesNumber({ laneBytes, lanes }: NumberConstant, bytes: Uint8Array): boolean {
  return lanes.every((lane, index) =>
    matchesLane(lane, laneBytes, bitsOf(bytes, index * laneBytes, laneBytes)),
  );
}

function matchesLane(lane: bigint | NanPattern, laneBytes: number, bits: bigint): boolean {
  if (typeof lane === "bigint") return bits === lane;
  const canonical = laneBytes === 4 ? 0x7fc0_0000n : 0x7ff8_0000_0000_0000n;
  const magnitude = BigInt.asUintN(8 * laneBytes - 1, bits);
  return lane === "nan:canonical" ? magnitude === canonical : (bits & canonical) === canonical;
}

function bitsOf(bytes: Uint8Array, at: number, count: number): bigint {
  let bits = 0n;
  for (let index = count - 1; index >= 0; index--)
    bits = (bits << 8n) | BigInt(bytes[at + index] ?? 0);
  return bits;
}
