/**
 * @module A tree that grows leaf by leaf and answers which ancestor stands at a depth, and where two
 * paths to the root meet, in logarithmic time (jump pointers, Myers 1983). Dominators, postdominators
 * and loops are such trees: a walk from node to node would be quadratic on hostile code.
 */

const NONE = -1;

/** Nodes are added by number; the root's parent is -1. */
export class AncestorTree {
  #depth = new Int32Array(256);
  #parent = new Int32Array(256);
  #jump = new Int32Array(256);

  /** Adds `node` below `parent`, which was added before it. */
  add(node: number, parent: number): void {
    if (node >= this.#depth.length) this.#grow(node);
    this.#parent[node] = parent;
    if (parent === NONE) {
      this.#depth[node] = 0;
      this.#jump[node] = NONE;
      return;
    }
    this.#depth[node] = this.depthOf(parent) + 1;
    const jump = this.#jump[parent] as number;
    const twice = jump === NONE ? NONE : (this.#jump[jump] as number);
    const isEven =
      this.#depthOr(parent) - this.#depthOr(jump) === this.#depthOr(jump) - this.#depthOr(twice);
    this.#jump[node] = isEven ? twice : parent;
  }

  depthOf(node: number): number {
    return this.#depth[node] as number;
  }

  parentOf(node: number): number {
    return this.#parent[node] as number;
  }

  /** The ancestor of `node`, or itself, at `depth`, which is at most its own. */
  at(node: number, depth: number): number {
    let current = node;
    while (this.depthOf(current) > depth) {
      const jump = this.#jump[current] as number;
      current =
        jump !== NONE && this.depthOf(jump) >= depth ? jump : (this.#parent[current] as number);
    }
    return current;
  }

  /** Whether `ancestor` is on the path from `node` to the root, `node` included. */
  isAncestor(ancestor: number, node: number): boolean {
    const depth = this.depthOf(ancestor);
    return depth <= this.depthOf(node) && this.at(node, depth) === ancestor;
  }

  /** The lowest node on both paths to the root; -1 when they have none in common. */
  meet(one: number, other: number): number {
    const depth = Math.min(this.depthOf(one), this.depthOf(other));
    let [a, b] = [this.at(one, depth), this.at(other, depth)];
    while (a !== b) {
      const [jumpA, jumpB] = [this.#jump[a] as number, this.#jump[b] as number];
      if (jumpA === jumpB) {
        [a, b] = [this.#parent[a] as number, this.#parent[b] as number];
      } else [a, b] = [jumpA, jumpB];
      if (a === NONE || b === NONE) return NONE;
    }
    return a;
  }

  #depthOr(node: number): number {
    return node === NONE ? -1 : this.depthOf(node);
  }

  #grow(node: number): void {
    const length = Math.max(node + 1, 2 * this.#depth.length);
    const widen = (column: Int32Array): Int32Array<ArrayBuffer> => {
      const wider = new Int32Array(length);
      wider.set(column);
      return wider;
    };
    this.#depth = widen(this.#depth);
    this.#parent = widen(this.#parent);
    this.#jump = widen(this.#jump);
  }
}
