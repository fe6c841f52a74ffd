/** @module The numbers that control flow is written in: flags of nodes, kinds of events, opcodes. */
import { opcodeNamed } from "@glovebox/wasm-binary/operators";

/** Flags of a node. */
export const NODE = {
  entry: 1,
  loop: 2,
  /** Entered by an exception as well. */
  handler: 4,
  /** Ends in something from which nothing returns. */
  trap: 8,
  /** Leaves the function, or may leave it by an exception. */
  exit: 16,
  /** Has a branch back to a loop. */
  back: 32,
  /** Has a call. */
  calls: 64,
  /** Has a call of a function that may call this one again. */
  recursion: 128,
  /** Looks at what is left: every turn of some loop goes through one of such. */
  turn: 256,
} as const;

/** Kinds of events: places in the code where something is written. */
export const EVENT = {
  /** `first` is the node that begins. */
  node: 0,
  /** An operator whose length is on the stack; `first` its opcode, `second` and `third` its immediates. */
  length: 1,
  /** A call of a known function; `first` its index, `second` the node or -1, `third` where the operator ends. */
  call: 2,
  /** A call of an unknown function; `first` its type where it comes from a table, or -1, `second` the node or -1, `third` where the operator ends. */
  unknownCall: 3,
  /** `return`; `second` the node or -1. */
  return: 4,
  /** A tail call; `first` the function or -1, `second` the node or -1, `third` where the operator ends. */
  tailCall: 5,
  /** A local's index stands at `first` up to `third`; `second` is the index. */
  local: 6,
  /** `ref.func`: the index at `first` up to `third`; `second` is the function. */
  functionReference: 7,
  /** A `loop` operator; `first` the loop, `second` the node before it. */
  loop: 8,
  /** `throw` and its kin; `second` the node or -1, `third` where the operator ends. */
  throw: 9,
} as const;

/** Opcodes that change the flow, or that metering looks at. */
export const OP = {
  unreachable: opcodeNamed("unreachable"),
  block: opcodeNamed("block"),
  loop: opcodeNamed("loop"),
  if: opcodeNamed("if"),
  else: opcodeNamed("else"),
  end: opcodeNamed("end"),
  try: opcodeNamed("try"),
  catch: opcodeNamed("catch"),
  catchAll: opcodeNamed("catch_all"),
  delegate: opcodeNamed("delegate"),
  tryTable: opcodeNamed("try_table"),
  throw: opcodeNamed("throw"),
  throwRef: opcodeNamed("throw_ref"),
  rethrow: opcodeNamed("rethrow"),
  br: opcodeNamed("br"),
  brIf: opcodeNamed("br_if"),
  brTable: opcodeNamed("br_table"),
  brOnNull: opcodeNamed("br_on_null"),
  brOnNonNull: opcodeNamed("br_on_non_null"),
  brOnCast: opcodeNamed("br_on_cast"),
  brOnCastFail: opcodeNamed("br_on_cast_fail"),
  return: opcodeNamed("return"),
  call: opcodeNamed("call"),
  callIndirect: opcodeNamed("call_indirect"),
  callRef: opcodeNamed("call_ref"),
  returnCall: opcodeNamed("return_call"),
  returnCallIndirect: opcodeNamed("return_call_indirect"),
  returnCallRef: opcodeNamed("return_call_ref"),
  localGet: opcodeNamed("local.get"),
  localTee: opcodeNamed("local.tee"),
  refFunc: opcodeNamed("ref.func"),
  arrayNewFixed: opcodeNamed("array.new_fixed"),
} as const;
