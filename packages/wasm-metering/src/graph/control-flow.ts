/**
 * @module The control flow of one function as nodes: stretches of code that run from their first
 * operator to their last once they are entered, unless something traps or throws. A node begins
 * after `loop`, `if`, `else`, `br_if` and its kin, a handler, the `end` of a block that is branched
 * to, and a call that may throw. Other calls do not end a node. The graph is built in one pass, in
 * columns that the next function reuses.
 */
import type { OperatorReader } from "@glovebox/wasm-binary/operators";

import { BASE_COSTS, COST_TABLE, entryCost, HAS_LENGTH } from "../cost-table.ts";
import { MeteringStop } from "../metering-stop.ts";
import { Column, NumberColumn } from "./column.ts";
import { EVENT, NODE, OP } from "./flow-tables.ts";

const KIND = { block: 0, loop: 1, if: 2, else: 3, try: 4, tryTable: 5 } as const;

/** No node: the code cannot be reached. */
const DEAD = -1;
/** Stands for a branch of an exception in a list of branches. */
const EXCEPTION = -2;

/** What a graph depends on beyond its own body. */
export interface CallFacts {
  /**
   * Whether calling the function at this index, any (-1), or one of a type through a table (-2 less
   * its index) may end in an exception that the module might catch: then what follows runs less often.
   */
  readonly mayThrow: (callee: number) => boolean;
}

/** The graph of the function built last. Columns are shared by all functions. */
export class ControlFlow {
  readonly node = {
    /** Offset of the first operator. */
    position: new Column(),
    /** Not in 32 bits: a sum that wrapped would give fuel back. */
    cost: new NumberColumn(),
    /** Innermost loop, or -1. */
    loop: new Column(),
    flags: new Column(),
    /** The loop that it goes back to, if that is one and the same; -1 none, -2 several. */
    backTo: new Column(),
    firstOut: new Column(),
    firstIn: new Column(),
  };
  readonly edge = {
    source: new Column(),
    target: new Column(),
    nextOut: new Column(),
    nextIn: new Column(),
  };
  readonly event = {
    position: new Column(),
    kind: new Column(),
    first: new Column(),
    second: new Column(),
    third: new Column(),
    /** Blocks around the place, the body not counted. */
    nesting: new Column(),
  };
  readonly loop = {
    parent: new Column(),
    header: new Column(),
    /** Offset behind its `end`. */
    end: new Column(),
  };
  /** Offset of the first operator, behind the locals. */
  codeStart = 0;
  /** Offset behind the last `end`. */
  codeEnd = 0;
  localCount = 0;
  /** Whether a branch goes to the function's own label. */
  branchesToBody = false;
  /** Whether an exception goes to the function's own label. */
  catchesToBody = false;

  readonly #block = {
    kind: new Column(),
    node: new Column(),
    pending: new Column(),
    loop: new Column(),
  };
  readonly #pending = { node: new Column(), next: new Column() };
  #current = DEAD;
  #loop = -1;
  #watched = -1;
  #mayThrow: CallFacts["mayThrow"] = () => false;

  /**
   * Builds the graph of the body that `reader` was opened at by `openBody`. Uses of the local
   * `watched` become events.
   */
  build(reader: OperatorReader, watched: number, { mayThrow }: CallFacts): void {
    this.#clear();
    this.#watched = watched;
    this.#mayThrow = mayThrow;
    this.codeStart = reader.position;
    this.localCount = reader.localCount;
    this.#current = this.#begin(reader.position, NODE.entry);
    this.node.cost.set(0, entryCost(reader.localCount));
    this.#push(KIND.block, DEAD);
    for (let opcode = reader.next(); opcode >= 0; opcode = reader.next())
      this.#step(reader, opcode);
    reader.close();
    this.codeEnd = reader.position;
  }

  #step(reader: OperatorReader, opcode: number): void {
    const { offset, position } = reader;
    switch (opcode) {
      case OP.block:
        return this.#push(KIND.block, DEAD);
      case OP.loop:
        return this.#enterLoop(offset, position);
      case OP.if:
        this.#charge(opcode);
        this.#push(KIND.if, this.#current);
        if (this.#current !== DEAD) this.#current = this.#follow(this.#current, position);
        return;
      case OP.else:
        return this.#else(position);
      case OP.end:
        return this.#end(position);
      case OP.try:
        return this.#push(KIND.try, this.#current);
      case OP.tryTable:
        return this.#tryTable(reader);
      case OP.catch:
      case OP.catchAll:
        return this.#catch(position);
      case OP.delegate:
        // Its labels begin outside of its try.
        this.#targetOf(reader.first + 1);
        return this.#end(position);
      case OP.br:
      case OP.brTable:
        this.#charge(opcode);
        if (opcode === OP.br) this.#branch(reader.first);
        else this.#branchTable(reader);
        this.#current = DEAD;
        return;
      case OP.brIf:
      case OP.brOnNull:
      case OP.brOnNonNull:
      case OP.brOnCast:
      case OP.brOnCastFail:
        this.#charge(opcode);
        this.#branch(reader.first);
        if (this.#current !== DEAD) this.#current = this.#follow(this.#current, position);
        return;
      case OP.return:
        this.#emit(offset, EVENT.return, 0, this.#current, position);
        return this.#leave(opcode, NODE.exit);
      case OP.unreachable:
        return this.#leave(opcode, NODE.trap);
      case OP.throw:
      case OP.throwRef:
      case OP.rethrow:
        this.#emit(offset, EVENT.throw, 0, this.#current, position);
        if (opcode === OP.rethrow) this.#targetOf(reader.first);
        return this.#leave(opcode, NODE.exit);
      case OP.call:
        this.#emit(offset, EVENT.call, reader.first, this.#current, position);
        return this.#call(opcode, reader.first, position);
      case OP.callIndirect:
        this.#emit(offset, EVENT.unknownCall, reader.first, this.#current, position);
        return this.#call(opcode, -2 - reader.first, position);
      case OP.callRef:
        this.#emit(offset, EVENT.unknownCall, -1, this.#current, position);
        return this.#call(opcode, -1, position);
      case OP.returnCall:
        this.#emit(offset, EVENT.tailCall, reader.first, this.#current, position);
        return this.#leave(opcode, NODE.exit | NODE.calls);
      case OP.returnCallIndirect:
      case OP.returnCallRef:
        this.#emit(offset, EVENT.tailCall, -1, this.#current, position);
        return this.#leave(opcode, NODE.exit | NODE.calls);
      case OP.refFunc:
        this.#emit(offset + 1, EVENT.functionReference, offset + 1, reader.first, position);
        return this.#charge(opcode);
      case OP.arrayNewFixed:
        return this.#charge(opcode, reader.second);
      default:
        if (opcode >= OP.localGet && opcode <= OP.localTee && reader.first === this.#watched) {
          this.#emit(offset + 1, EVENT.local, offset + 1, reader.first, position);
        }
        this.#charge(opcode);
        if (HAS_LENGTH[opcode] === 1 && this.#current !== DEAD) {
          this.#emit(offset, EVENT.length, opcode, reader.first, reader.second);
        }
    }
  }

  #charge(opcode: number, more = 0): void {
    if (this.#current === DEAD) return;
    const { cost } = this.node;
    cost.set(this.#current, cost.at(this.#current) + (BASE_COSTS[opcode] as number) + more);
  }

  #call(opcode: number, callee: number, position: number): void {
    if (this.#current === DEAD) return;
    this.#charge(opcode);
    this.#flag(this.#current, NODE.calls);
    if (!this.#mayThrow(callee)) return;
    this.#flag(this.#current, NODE.exit);
    this.#current = this.#follow(this.#current, position);
  }

  #leave(opcode: number, flag: number): void {
    if (this.#current === DEAD) return;
    this.#charge(opcode);
    this.#flag(this.#current, flag);
    this.#current = DEAD;
  }

  #enterLoop(offset: number, position: number): void {
    const before = this.#current;
    const index = this.loop.parent.push(this.#loop);
    this.loop.header.push(DEAD);
    this.loop.end.push(0);
    if (before !== DEAD) this.#emit(offset, EVENT.loop, index, before, position);
    this.#push(KIND.loop, index);
    this.#loop = index;
    if (before === DEAD) return;
    this.#current = this.#follow(before, position, NODE.loop | NODE.turn);
    this.loop.header.set(index, this.#current);
  }

  #else(position: number): void {
    const block = this.#block.kind.length - 1;
    if (this.#current !== DEAD) this.#pend(block, this.#current);
    const condition = this.#block.node.at(block);
    this.#block.kind.set(block, KIND.else);
    this.#current = condition === DEAD ? DEAD : this.#follow(condition, position);
  }

  #catch(position: number): void {
    const block = this.#block.kind.length - 1;
    if (this.#current !== DEAD) this.#pend(block, this.#current);
    this.#current = this.#block.node.at(block);
    this.#charge(OP.catch, COST_TABLE.perCatch);
    if (this.#current !== DEAD) this.#current = this.#begin(position, NODE.handler);
  }

  #tryTable(reader: OperatorReader): void {
    const { list, listLength } = reader;
    this.#charge(OP.tryTable, (COST_TABLE.perCatch * listLength) / 3);
    for (let at = 2; at < listLength; at += 3) {
      const block = this.#targetOf(list[at] as number);
      if (block === 0) this.branchesToBody = this.catchesToBody = true;
      if (this.#current === DEAD) continue;
      if (this.#block.kind.at(block) === KIND.loop) {
        const header = this.loop.header.at(this.#block.node.at(block));
        if (header !== DEAD) this.#flag(header, NODE.handler);
      } else this.#pend(block, EXCEPTION);
    }
    this.#push(KIND.tryTable, this.#current);
  }

  #end(position: number): void {
    const block = this.#block.kind.length - 1;
    const kind = this.#block.kind.at(block);
    if (kind === KIND.loop) {
      this.loop.end.set(this.#block.node.at(block), position);
      this.#loop = this.#block.loop.at(block);
      this.#pop();
      // What follows a loop runs as often as the loop is left, not as often as it runs.
      if (this.#current !== DEAD) this.#current = this.#follow(this.#current, position);
      return;
    }
    if (kind === KIND.if && this.#block.node.at(block) !== DEAD) {
      this.#pend(block, this.#block.node.at(block));
    }
    const head = this.#block.pending.at(block);
    this.#pop();
    if (block === 0) return this.#endBody(head);
    if (head < 0) return;
    const before = this.#current;
    const joined = this.#begin(position, 0);
    for (let at = head; at >= 0; at = this.#pending.next.at(at)) {
      const source = this.#pending.node.at(at);
      if (source === EXCEPTION) this.#flag(joined, NODE.handler);
      else this.#connect(source, joined);
    }
    if (before !== DEAD) this.#connect(before, joined);
    this.#current = joined;
  }

  #endBody(head: number): void {
    for (let at = head; at >= 0; at = this.#pending.next.at(at)) {
      const source = this.#pending.node.at(at);
      if (source >= 0) this.#flag(source, NODE.exit);
    }
    if (this.#current !== DEAD) this.#flag(this.#current, NODE.exit);
    this.#current = DEAD;
  }

  #branch(depth: number): void {
    const block = this.#targetOf(depth);
    if (block === 0) this.branchesToBody = true;
    if (this.#current === DEAD) return;
    if (this.#block.kind.at(block) !== KIND.loop) return this.#pend(block, this.#current);
    this.#flag(this.#current, NODE.back);
    const before = this.node.backTo.at(this.#current);
    this.node.backTo.set(this.#current, before === -1 ? this.#block.node.at(block) : -2);
  }

  /** Each target once: a table that names one label 160,000 times has one edge to it. */
  #branchTable({ list, listLength }: OperatorReader): void {
    if (this.#current === DEAD) {
      // A branch to the body has to be seen in dead code too.
      for (let at = 0; at < listLength; at++) {
        if (this.#targetOf(list[at] as number) === 0) this.branchesToBody = true;
      }
      return;
    }
    for (const depth of new Set(list.subarray(0, listLength))) this.#branch(depth);
  }

  /** The block that a label names. One too many would name a block that metering adds. */
  #targetOf(depth: number): number {
    const block = this.#block.kind.length - 1 - depth;
    if (block < 0) throw new MeteringStop("METERING_INDEX", `a label ${depth} that is none`);
    return block;
  }

  #follow(source: number, position: number, flags = 0): number {
    const target = this.#begin(position, flags);
    this.#connect(source, target);
    return target;
  }

  #begin(position: number, flags: number): number {
    const { node } = this;
    const index = node.position.push(position);
    node.cost.push(0);
    node.loop.push(this.#loop);
    node.flags.push(flags);
    node.backTo.push(-1);
    node.firstOut.push(-1);
    node.firstIn.push(-1);
    this.#emit(position, EVENT.node, index, 0, position);
    return index;
  }

  #connect(source: number, target: number): void {
    const { node, edge } = this;
    const index = edge.source.push(source);
    edge.target.push(target);
    edge.nextOut.push(node.firstOut.at(source));
    edge.nextIn.push(node.firstIn.at(target));
    node.firstOut.set(source, index);
    node.firstIn.set(target, index);
  }

  #flag(node: number, flags: number): void {
    this.node.flags.set(node, this.node.flags.at(node) | flags);
  }

  #emit(position: number, kind: number, first: number, second: number, third: number): void {
    const { event } = this;
    event.position.push(position);
    event.kind.push(kind);
    event.first.push(first);
    event.second.push(second);
    event.third.push(third);
    event.nesting.push(Math.max(0, this.#block.kind.length - 1));
  }

  #push(kind: number, node: number): void {
    this.#block.kind.push(kind);
    this.#block.node.push(node);
    this.#block.pending.push(-1);
    this.#block.loop.push(this.#loop);
  }

  #pop(): void {
    const { kind, node, pending, loop } = this.#block;
    kind.length--;
    node.length--;
    pending.length--;
    loop.length--;
  }

  #pend(block: number, node: number): void {
    this.#pending.node.push(node);
    this.#pending.next.push(this.#block.pending.at(block));
    this.#block.pending.set(block, this.#pending.node.length - 1);
  }

  #clear(): void {
    for (const group of [this.node, this.edge, this.event, this.loop, this.#block, this.#pending]) {
      for (const column of Object.values(group)) column.clear();
    }
    this.branchesToBody = false;
    this.catchesToBody = false;
    this.#current = DEAD;
    this.#loop = -1;
  }
}
