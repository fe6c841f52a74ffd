/**
 * @module Who calls whom directly, in strongly connected components (Tarjan), without recursion:
 * functions of one component call each other in a circle. Linear in functions and calls.
 */

/** Components of a call graph. */
export interface CallComponents {
  /** The component of each function; a callee's is never higher than its caller's. */
  readonly componentOf: Int32Array;
  /** Functions, callees before callers. */
  readonly order: Int32Array;
}

/** Groups `count` functions; `callees[i]` are the functions that `i` calls. */
export function callComponents(count: number, callees: readonly Int32Array[]): CallComponents {
  const componentOf = new Int32Array(count);
  const order = new Int32Array(count);
  const index = new Int32Array(count).fill(-1);
  const low = new Int32Array(count);
  const isOpen = new Uint8Array(count);
  const next = new Int32Array(count);
  const open: number[] = [];
  const path: number[] = [];
  let visited = 0;
  let placed = 0;
  let components = 0;

  const enter = (node: number): void => {
    index[node] = low[node] = visited++;
    isOpen[node] = 1;
    open.push(node);
    path.push(node);
  };
  const close = (node: number): void => {
    for (;;) {
      const member = open.pop() as number;
      isOpen[member] = 0;
      componentOf[member] = components;
      order[placed++] = member;
      if (member === node) break;
    }
    components++;
  };
  const lower = (node: number, to: number): void => {
    if (to < (low[node] as number)) low[node] = to;
  };

  for (let root = 0; root < count; root++) {
    if ((index[root] as number) >= 0) continue;
    enter(root);
    while (path.length > 0) {
      const node = path.at(-1) as number;
      const callee = callees[node]?.[next[node] as number];
      if (callee !== undefined) {
        next[node] = (next[node] as number) + 1;
        if ((index[callee] as number) < 0) enter(callee);
        else if (isOpen[callee] === 1) lower(node, index[callee] as number);
        continue;
      }
      path.pop();
      if (low[node] === index[node]) close(node);
      const parent = path.at(-1);
      if (parent !== undefined) lower(parent, low[node] as number);
    }
  }
  return { componentOf, order };
}
