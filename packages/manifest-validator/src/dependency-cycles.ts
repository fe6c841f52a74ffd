/**
 * @module Order and circles of a directed graph, by one depth-first walk with its own stack: a
 * chain of ten thousand plugins must not exhaust the host's stack (CWE-674).
 */
import { MAX_PROBLEMS } from "./limits.ts";

/** A walk's result; with circles, `order` is not one to load in. */
export interface Walk<Id extends string> {
  /** Every node after all it leads to. */
  readonly order: readonly Id[];
  /** Each circle that the walk closed, once, beginning with its smallest id; bounded. */
  readonly cycles: readonly (readonly Id[])[];
}

/** Walks a graph given as node → nodes it leads to, all of which are keys. */
export function walkGraph<Id extends string>(edges: ReadonlyMap<Id, readonly Id[]>): Walk<Id> {
  const order: Id[] = [];
  const cycles = new Map<string, readonly Id[]>();
  const done = new Set<Id>();
  const path: { readonly node: Id; next: number }[] = [];
  const depthOf = new Map<Id, number>();

  const enter = (node: Id): void => {
    depthOf.set(node, path.length);
    path.push({ node, next: 0 });
  };
  for (const root of edges.keys()) {
    if (!done.has(root)) enter(root);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const target = edges.get(top.node)?.[top.next];
      top.next += 1;
      const depth = target === undefined ? undefined : depthOf.get(target);
      if (target === undefined) {
        path.pop();
        depthOf.delete(top.node);
        done.add(top.node);
        order.push(top.node);
      } else if (depth !== undefined) {
        if (cycles.size >= MAX_PROBLEMS) continue;
        const cycle = fromSmallest(path.slice(depth).map((step) => step.node));
        cycles.set(cycle.join(" "), cycle);
      } else if (!done.has(target)) enter(target);
    }
  }
  return { order, cycles: [...cycles.values()] };
}

function fromSmallest<Id extends string>(cycle: readonly Id[]): readonly Id[] {
  let smallest = 0;
  for (const [index, id] of cycle.entries()) if (id < (cycle[smallest] ?? id)) smallest = index;
  return [...cycle.slice(smallest), ...cycle.slice(0, smallest)];
}
