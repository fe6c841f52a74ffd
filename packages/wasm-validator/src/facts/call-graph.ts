/**
 * @module Which functions can call themselves through direct calls: strongly connected components
 * (Tarjan 1972), without recursion and in time linear to the calls. Calls through tables and
 * references are not edges, since anything of their type may be called.
 */

/** Direct calls, grouped by caller in the order of the functions. */
export class CallGraph {
  #callees = new Uint32Array(256);
  #length = 0;
  /** Where the calls of each function begin; one more entry than functions. */
  readonly #begins: Uint32Array;
  #functions = 0;

  constructor(functions: number) {
    this.#begins = new Uint32Array(functions + 1);
  }

  /** Adds a call of the function whose turn it is. */
  add(callee: number): void {
    if (this.#length === this.#callees.length) {
      const wider = new Uint32Array(2 * this.#length);
      wider.set(this.#callees);
      this.#callees = wider;
    }
    this.#callees[this.#length++] = callee;
  }

  /** Ends the turn of a function. */
  endFunction(): void {
    this.#functions += 1;
    this.#begins[this.#functions] = this.#length;
  }

  /** How many functions can call themselves, and the largest number of them in one circle. */
  recursion(): { readonly functions: number; readonly largestCycle: number } {
    const count = this.#functions;
    const begins = this.#begins;
    const order = new Uint32Array(count);
    const low = new Uint32Array(count);
    const isOpen = new Uint8Array(count);
    const open = new Uint32Array(count);
    const path = new Uint32Array(count);
    const next = new Uint32Array(count);
    let opened = 0;
    let visited = 0;
    let functions = 0;
    let largestCycle = 0;
    for (let root = 0; root < count; root += 1) {
      if (order[root] !== 0) continue;
      let depth = 0;
      const visit = (node: number): void => {
        path[depth++] = node;
        order[node] = low[node] = ++visited;
        next[node] = begins[node] as number;
        open[opened++] = node;
        isOpen[node] = 1;
      };
      visit(root);
      while (depth > 0) {
        const node = path[depth - 1] as number;
        const edge = next[node] as number;
        if (edge < (begins[node + 1] as number)) {
          next[node] = edge + 1;
          const callee = this.#callees[edge] as number;
          // An index beyond the functions is the engine's to refuse.
          if (callee >= count) continue;
          if (order[callee] === 0) visit(callee);
          else if (isOpen[callee] === 1)
            low[node] = Math.min(low[node] as number, order[callee] as number);
          continue;
        }
        depth -= 1;
        if (depth > 0) {
          const caller = path[depth - 1] as number;
          low[caller] = Math.min(low[caller] as number, low[node] as number);
        }
        if (low[node] !== order[node]) continue;
        let size = 0;
        let member: number;
        do {
          member = open[--opened] as number;
          isOpen[member] = 0;
          size += 1;
        } while (member !== node);
        if (size > 1 || this.#callsItself(node)) {
          functions += size;
          largestCycle = Math.max(largestCycle, size);
        }
      }
    }
    return { functions, largestCycle };
  }

  #callsItself(node: number): boolean {
    for (
      let edge = this.#begins[node] as number;
      edge < (this.#begins[node + 1] as number);
      edge += 1
    ) {
      if (this.#callees[edge] === node) return true;
    }
    return false;
  }
}
