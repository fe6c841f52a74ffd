/**
 * @module Fewer charges for the same count. Where a node runs exactly once each time another runs,
 * in the same turn of the same loop, its charge moves there: they are then one. Never across the
 * border of a loop, nor into or out of a handler. Charges only move to what runs earlier, so that
 * paying stays ahead of running (metering R2).
 */
import { AncestorTree } from "../graph/ancestors.ts";
import type { ControlFlow } from "../graph/control-flow.ts";
import { NODE } from "../graph/flow-tables.ts";

const NONE = -1;
/** What moves with a charge: the reasons to check it. */
const MOVED_FLAGS = NODE.calls | NODE.recursion;
/** Branches back to a loop: the more there are, the more code looks at what is left. */
const MAX_WAYS_BACK = 3;
/** Dominators that are asked, one after the other: hostile code has long chains of them. */
const MAX_STEPS = 16;

/** Moves charges of one function after another. */
export class ChargeMerger {
  readonly #dominators = new AncestorTree();
  readonly #postdominators = new AncestorTree();
  readonly #loops = new AncestorTree();
  #immediate = new Int32Array(256);
  #after = new Int32Array(256);

  /** Moves the costs of `flow`'s nodes, in place. */
  merge(flow: ControlFlow): void {
    const count = flow.node.cost.length;
    if (count < 2) return;
    if (this.#immediate.length <= count) {
      this.#immediate = new Int32Array(2 * count);
      this.#after = new Int32Array(2 * count);
    }
    for (let loop = 0; loop < flow.loop.parent.length; loop++) {
      this.#loops.add(loop, flow.loop.parent.at(loop));
    }
    this.#findDominators(flow, count);
    this.#findPostdominators(flow, count);
    for (let node = count - 1; node > 0; node--) this.#moveToDominator(flow, node);
    for (let node = count - 1; node >= 0; node--) {
      this.#hoistMinimum(flow, node);
      this.#hoistToAll(flow, node);
    }
    this.#turnLoops(flow, count);
  }

  /** Nodes are numbered in the order of the code: forward edges lead to higher numbers. */
  #findDominators({ node, edge }: ControlFlow, count: number): void {
    this.#immediate[0] = NONE;
    this.#dominators.add(0, NONE);
    for (let current = 1; current < count; current++) {
      // A handler is entered from places that have no edge to it: nothing is sure to run before.
      let at = node.flags.at(current) & NODE.handler ? NONE : node.firstIn.at(current);
      let dominator = at < 0 ? NONE : edge.source.at(at);
      for (; at >= 0 && dominator !== NONE; at = edge.nextIn.at(at)) {
        dominator = this.#dominators.meet(dominator, edge.source.at(at));
      }
      this.#immediate[current] = dominator;
      this.#dominators.add(current, dominator);
    }
  }

  /** Node `count` stands for leaving: the end, exceptions, and every branch back. What traps is left out. */
  #findPostdominators({ node, edge }: ControlFlow, count: number): void {
    this.#postdominators.add(count, NONE);
    for (let current = count - 1; current >= 0; current--) {
      let after = (node.flags.at(current) & (NODE.exit | NODE.back)) === 0 ? NONE : count;
      for (let at = node.firstOut.at(current); at >= 0; at = edge.nextOut.at(at)) {
        const target = edge.target.at(at);
        if (this.#after[target] === NONE) continue;
        after = after === NONE ? target : this.#postdominators.meet(after, target);
      }
      this.#after[current] = after;
      if (after !== NONE) this.#postdominators.add(current, after);
    }
  }

  /**
   * A loop tested at its start pays there for the test and behind it for the turn. Where every way
   * back goes on to nothing else and is charged anyway, it pays for the next test as well, and what
   * comes before the loop for the first.
   */
  #turnLoops(flow: ControlFlow, count: number): void {
    const { cost, flags, backTo, firstIn } = flow.node;
    const loops = flow.loop.header;
    if (loops.length === 0) return;
    const waysBack = new Map<number, number[]>();
    for (let node = 0; node < count; node++) {
      const loop = backTo.at(node);
      // It leads to several loops, of which we do not know them all.
      if (loop < NONE) return;
      if (loop === NONE) continue;
      const sources = waysBack.get(loop);
      if (sources === undefined) waysBack.set(loop, [node]);
      else sources.push(node);
    }
    for (let loop = loops.length - 1; loop >= 0; loop--) {
      const header = loops.at(loop);
      const sources = waysBack.get(loop) ?? [];
      if (header < 0 || sources.length === 0 || sources.length > MAX_WAYS_BACK) continue;
      if (cost.at(header) === 0 || (flags.at(header) & (NODE.handler | NODE.recursion)) !== 0)
        continue;
      const payers = sources.map((source) => this.#payerOf(flow, source, loop, header));
      if (payers.includes(NONE)) continue;
      for (const payer of payers) {
        cost.set(payer, cost.at(payer) + cost.at(header));
        flags.set(payer, flags.at(payer) | NODE.turn);
      }
      const before = flow.edge.source.at(firstIn.at(header));
      cost.set(before, cost.at(before) + cost.at(header));
      this.#moveToDominator(flow, before);
      cost.set(header, 0);
      flags.set(header, flags.at(header) & ~NODE.turn);
    }
  }

  /** The node that is charged already and runs as often as the branch back to `loop` at the end of `source`. */
  #payerOf(flow: ControlFlow, source: number, loop: number, header: number): number {
    const { cost, flags, firstOut } = flow.node;
    if (flow.node.loop.at(source) !== loop || firstOut.at(source) >= 0) return NONE;
    if ((flags.at(source) & (NODE.exit | NODE.trap)) !== 0) return NONE;
    let payer = source;
    for (let left = MAX_STEPS; left > 0 && payer !== NONE && payer !== header; left--) {
      if (cost.at(payer) > 0) return payer;
      payer = this.#dominatorToPay(flow, payer);
    }
    return NONE;
  }

  #moveToDominator(flow: ControlFlow, node: number): void {
    if (flow.node.cost.at(node) === 0) return;
    const dominator = this.#dominatorToPay(flow, node);
    if (dominator !== NONE) move(flow, node, dominator);
  }

  /** What runs before `node`, exactly as often, in the same loop. */
  #dominatorToPay(flow: ControlFlow, node: number): number {
    if (this.#after[node] === NONE) return NONE;
    if ((flow.node.flags.at(node) & (NODE.loop | NODE.handler)) !== 0) return NONE;
    const dominator = this.#dominatorInLoop(flow, node);
    if (dominator === NONE || this.#after[dominator] === NONE) return NONE;
    return this.#postdominators.isAncestor(node, dominator) ? dominator : NONE;
  }

  /** The nearest dominator whose innermost loop is the node's; loops between are passed whole. */
  #dominatorInLoop(flow: ControlFlow, node: number): number {
    const loop = flow.node.loop.at(node);
    let current = this.#immediate[node] as number;
    while (current !== NONE && flow.node.loop.at(current) !== loop) {
      const inner = flow.node.loop.at(current);
      const depth = loop === NONE ? -1 : this.#loops.depthOf(loop);
      if (inner === NONE || this.#loops.depthOf(inner) <= depth) return NONE;
      const outermost = this.#loops.at(inner, depth + 1);
      if (flow.loop.parent.at(outermost) !== loop) return NONE;
      current = this.#immediate[flow.loop.header.at(outermost)] as number;
    }
    return current;
  }

  /** What all ways on from a node cost at least, it may as well pay itself. */
  #hoistMinimum(flow: ControlFlow, node: number): void {
    const { cost, flags, firstOut } = flow.node;
    if ((flags.at(node) & (NODE.back | NODE.exit)) !== 0) return;
    let least = Number.POSITIVE_INFINITY;
    let isEven = true;
    for (let at = firstOut.at(node); at >= 0; at = flow.edge.nextOut.at(at)) {
      const target = flow.edge.target.at(at);
      if (!this.#belongsTo(flow, target, node)) return;
      if (this.#after[target] === NONE) continue;
      if (least !== Number.POSITIVE_INFINITY && cost.at(target) !== least) isEven = false;
      least = Math.min(least, cost.at(target));
    }
    if (least === 0 || least === Number.POSITIVE_INFINITY) return;
    // Worth it only where a charge is there already, or all of the others vanish.
    if (cost.at(node) === 0 && !isEven) return;
    cost.set(node, cost.at(node) + least);
    for (let at = firstOut.at(node); at >= 0; at = flow.edge.nextOut.at(at)) {
      const target = flow.edge.target.at(at);
      cost.set(target, Math.max(0, cost.at(target) - least));
      if (cost.at(target) === 0) moveFlags(flow, target, node);
    }
  }

  /** Whether `target` follows only from `node`, in the same loop. */
  #belongsTo({ node, edge }: ControlFlow, target: number, source: number): boolean {
    return (
      (node.flags.at(target) & (NODE.loop | NODE.handler)) === 0 &&
      node.loop.at(target) === node.loop.at(source) &&
      edge.nextIn.at(node.firstIn.at(target)) < 0
    );
  }

  /** Where all nodes before a node lead only to it and are charged anyway, they pay for it. */
  #hoistToAll(flow: ControlFlow, node: number): void {
    const { cost, flags, firstIn, firstOut, loop } = flow.node;
    if (cost.at(node) === 0 || firstIn.at(node) < 0) return;
    if ((flags.at(node) & (NODE.loop | NODE.handler | NODE.entry)) !== 0) return;
    for (let at = firstIn.at(node); at >= 0; at = flow.edge.nextIn.at(at)) {
      const source = flow.edge.source.at(at);
      const isSole = flow.edge.nextOut.at(firstOut.at(source)) < 0;
      if (!isSole || cost.at(source) === 0 || loop.at(source) !== loop.at(node)) return;
      if ((flags.at(source) & (NODE.back | NODE.exit)) !== 0) return;
    }
    for (let at = firstIn.at(node); at >= 0; at = flow.edge.nextIn.at(at)) {
      const source = flow.edge.source.at(at);
      cost.set(source, cost.at(source) + cost.at(node));
      flags.set(source, flags.at(source) | (flags.at(node) & MOVED_FLAGS));
    }
    cost.set(node, 0);
    flags.set(node, flags.at(node) & ~MOVED_FLAGS);
  }
}

function move(flow: ControlFlow, from: number, to: number): void {
  const { cost } = flow.node;
  cost.set(to, cost.at(to) + cost.at(from));
  cost.set(from, 0);
  moveFlags(flow, from, to);
}

function moveFlags({ node: { flags } }: ControlFlow, from: number, to: number): void {
  flags.set(to, flags.at(to) | (flags.at(from) & MOVED_FLAGS));
  flags.set(from, flags.at(from) & ~MOVED_FLAGS);
}
