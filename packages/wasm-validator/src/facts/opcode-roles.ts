/**
 * @module What matters about each operator when a module is looked at, as small numbers by opcode:
 * derived once from the opcode table, so that the loop over a module's operators only looks up.
 */
import { type Operator, OPERATORS } from "@glovebox/wasm-binary/operators";

/** How an operator moves control; 0: it does not. */
export const ROLE = {
  none: 0,
  open: 1,
  loop: 2,
  if: 3,
  else: 4,
  end: 5,
  /** `catch`, `catch_all`: another arm of an open block. */
  arm: 6,
  branch: 7,
  branchIf: 8,
  branchTable: 9,
  /** Leaves the function or the call. */
  leave: 10,
  call: 11,
  tailCall: 12,
  callIndirect: 13,
  tailCallIndirect: 14,
  /** `try_table`: opens a block, and its catches are branches. */
  tryTable: 15,
} as const;

const ROLES: Readonly<Record<string, number>> = {
  block: ROLE.open,
  try: ROLE.open,
  try_table: ROLE.tryTable,
  loop: ROLE.loop,
  if: ROLE.if,
  else: ROLE.else,
  end: ROLE.end,
  delegate: ROLE.end,
  catch: ROLE.arm,
  catch_all: ROLE.arm,
  br: ROLE.branch,
  br_if: ROLE.branchIf,
  br_on_null: ROLE.branchIf,
  br_on_non_null: ROLE.branchIf,
  br_on_cast: ROLE.branchIf,
  br_on_cast_fail: ROLE.branchIf,
  br_table: ROLE.branchTable,
  return: ROLE.leave,
  unreachable: ROLE.leave,
  throw: ROLE.leave,
  throw_ref: ROLE.leave,
  rethrow: ROLE.leave,
  call: ROLE.call,
  return_call: ROLE.tailCall,
  call_indirect: ROLE.callIndirect,
  call_ref: ROLE.callIndirect,
  return_call_indirect: ROLE.tailCallIndirect,
  return_call_ref: ROLE.tailCallIndirect,
};

/** Exclusive or, rotations and shifts: what hash functions and ciphers mostly do. */
const MIXING = /\.(?:xor|rotl|rotr|shl|shr_[su])$/;
/** Operators that compute, over which the share of mixing is taken. */
const COMPUTING = /^(?:[if](?:32|64)|[if]\d+x\d+|v128)\.(?!const|load|store|extract|replace|splat)/;

const SLOTS = Math.max(...OPERATORS.map(({ opcode }) => opcode)) + 1;

/** {@link ROLE} of each opcode. */
export const ROLE_OF: Uint8Array = byOpcode(({ name }) => ROLES[name] ?? ROLE.none);
/** 1 where the operator mixes bits. */
export const MIXES: Uint8Array = byOpcode(({ name }) => Number(MIXING.test(name)));
/** 1 where the operator computes. */
export const COMPUTES: Uint8Array = byOpcode(({ name }) => Number(COMPUTING.test(name)));

/** The proposals, by number: 0 for operators of WebAssembly 1.0. */
export const PROPOSALS: readonly string[] = [
  ...new Set(["mvp", ...OPERATORS.map(({ proposal }) => proposal)]),
];
/** The number of the proposal of each opcode. */
export const PROPOSAL_OF: Uint8Array = byOpcode(({ proposal }) => PROPOSALS.indexOf(proposal));

function byOpcode(valueOf: (operator: Operator) => number): Uint8Array {
  const values = new Uint8Array(SLOTS);
  for (const operator of OPERATORS) values[operator.opcode] = valueOf(operator);
  return values;
}
