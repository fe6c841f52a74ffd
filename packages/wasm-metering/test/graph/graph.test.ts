import fc from "fast-check";
import { expect, it } from "vitest";

/** @module The two analyses against what is obviously right: walking the tree, and reachability. */
import { AncestorTree } from "#ancestors";
import { callComponents } from "#call-graph";

it("ancestors are those that a walk to the root meets", () => {
  const parents = fc.array(fc.nat(), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(parents, fc.nat(), fc.nat(), (numbers, one, other) => {
      const tree = new AncestorTree();
      const paths: number[][] = [];
      for (const [node, number] of numbers.entries()) {
        const parent = node === 0 ? -1 : number % node;
        tree.add(node, parent);
        paths.push([...(paths[parent] ?? []), node]);
      }
      const [a, b] = [one % numbers.length, other % numbers.length];
      const [pathA = [], pathB = []] = [paths[a], paths[b]];
      expect(tree.meet(a, b)).toBe(pathA.findLast((node) => pathB.includes(node)));
      expect(tree.isAncestor(a, b)).toBe(pathB.includes(a));
      for (const [depth, node] of pathA.entries()) expect(tree.at(a, depth)).toBe(node);
    }),
    { numRuns: 500 },
  );
});

it("a deep chain is climbed in few steps", () => {
  const tree = new AncestorTree();
  for (let node = 0; node < 100_000; node++) tree.add(node, node - 1);
  expect(tree.at(99_999, 17)).toBe(17);
  expect(tree.meet(99_999, 50_000)).toBe(50_000);
});

it("functions of one component reach each other, and callees come first", () => {
  const edges = fc.array(fc.tuple(fc.nat(7), fc.nat(7)), { maxLength: 14 });
  fc.assert(
    fc.property(edges, (calls) => {
      const callees = Array.from({ length: 8 }, (_, node) =>
        Int32Array.from(calls.flatMap(([from, to]) => (from === node ? [to] : []))),
      );
      const reach = callees.map((_, start) => {
        const seen = new Set([start]);
        for (const node of seen) for (const next of callees[node] ?? []) seen.add(next);
        return seen;
      });
      const { componentOf, order } = callComponents(8, callees);
      expect([...order].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      for (let a = 0; a < 8; a++) {
        for (let b = 0; b < 8; b++) {
          const isCircle = reach[a]?.has(b) === true && reach[b]?.has(a) === true;
          expect(componentOf[a] === componentOf[b]).toBe(isCircle);
          const isBelow = reach[a]?.has(b) === true && !isCircle;
          expect(isBelow && order.indexOf(b) > order.indexOf(a)).toBe(false);
        }
      }
    }),
    { numRuns: 300 },
  );
});

it("a call chain of 100,000 functions is grouped without recursion", () => {
  const callees = Array.from({ length: 100_000 }, (_, node) => Int32Array.of((node + 1) % 100_000));
  expect(new Set(callComponents(100_000, callees).componentOf).size).toBe(1);
});
