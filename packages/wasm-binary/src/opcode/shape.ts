/**
 * @module How the bytes after an opcode are read, as one small number for each opcode: what the
 * reader's loop branches on. Derived from the table's immediates.
 */
import { formOf, OPCODE_SLOTS, type Operator } from "./operator.ts";
import { operatorOf, OPERATORS } from "./table.ts";

/** Values of {@link SHAPES}. */
export const SHAPE = {
  unknown: 0,
  none: 1,
  index: 2,
  twoIndices: 3,
  memarg: 4,
  i32: 5,
  block: 6,
  end: 7,
  else: 8,
  i64: 9,
  f32: 10,
  f64: 11,
  labels: 12,
  types: 13,
  heapType: 14,
  lane: 15,
  memargLane: 16,
  sixteen: 17,
  tryTable: 18,
  castBranch: 19,
  zero: 20,
  catch: 21,
  delegate: 22,
  prefix: 23,
} as const;

const BY_NAME: Readonly<Record<string, number>> = {
  end: SHAPE.end,
  else: SHAPE.else,
  catch: SHAPE.catch,
  catch_all: SHAPE.catch,
  delegate: SHAPE.delegate,
};

const BY_IMMEDIATES: Readonly<Record<string, number>> = {
  "": SHAPE.none,
  "block-type": SHAPE.block,
  memarg: SHAPE.memarg,
  i32: SHAPE.i32,
  i64: SHAPE.i64,
  f32: SHAPE.f32,
  f64: SHAPE.f64,
  labels: SHAPE.labels,
  types: SHAPE.types,
  "heap-type": SHAPE.heapType,
  lane: SHAPE.lane,
  "memarg lane": SHAPE.memargLane,
  v128: SHAPE.sixteen,
  lanes: SHAPE.sixteen,
  "block-type catches": SHAPE.tryTable,
  "cast-flags label heap-type heap-type": SHAPE.castBranch,
  zero: SHAPE.zero,
};

/** The shape of each opcode number. */
export const SHAPES: Uint8Array = (() => {
  const shapes = new Uint8Array(OPCODE_SLOTS);
  for (const byte of [0xfb, 0xfc, 0xfd, 0xfe]) shapes[byte] = SHAPE.prefix;
  for (const operator of OPERATORS) shapes[operator.opcode] = shapeOf(operator);
  return shapes;
})();

/** 1 for each opcode number that a constant expression may hold. */
export const CONSTANT_OPCODES: Uint8Array = marked(({ constant }) => constant);

/** 1 for each opcode number that names a data segment. */
export const DATA_OPCODES: Uint8Array = marked(({ immediates }) => immediates.includes("data"));

function marked(has: (operator: Operator) => boolean): Uint8Array {
  return Uint8Array.from({ length: OPCODE_SLOTS }, (_, opcode) => {
    const operator = operatorOf(opcode);
    return operator !== undefined && has(operator) ? 1 : 0;
  });
}

function shapeOf({ name, immediates }: Operator): number {
  const special = BY_NAME[name] ?? BY_IMMEDIATES[immediates.join(" ")];
  if (special !== undefined) return special;
  if (!immediates.every((immediate) => formOf(immediate) === "index")) {
    throw new TypeError(`no shape for the immediates of ${name}`);
  }
  return immediates.length === 1 ? SHAPE.index : SHAPE.twoIndices;
}
