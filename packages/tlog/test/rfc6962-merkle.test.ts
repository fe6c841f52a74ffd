import { partialPlaces, tilePath } from "@glovebox/tlog/tiles";
import {
  createTileTree,
  EMPTY_ROOT,
  leafHash,
  nodeHash,
  TreeBuilder,
  verifyConsistency,
  verifyInclusion,
} from "@glovebox/tlog/tree";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { entryOf, grow, sourceOf } from "./grown-tree.ts";
import { auditPath, consistencyProof, sha256, treeHash } from "./reference-tree.ts";

/** The entries and roots of the tests of Certificate Transparency (merkle_tree_test.cc). */
const VECTOR_ENTRIES = [
  "",
  "00",
  "10",
  "2021",
  "3031",
  "40414243",
  "5051525354555657",
  "606162636465666768696a6b6c6d6e6f",
].map((hex) => Buffer.from(hex, "hex"));
const VECTOR_ROOTS = [
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

test("has the roots of Certificate Transparency's own vectors", () => {
  const builder = new TreeBuilder(() => undefined);
  for (const [index, entry] of VECTOR_ENTRIES.entries()) {
    builder.appendLeafHash(leafHash(entry));
    expect(builder.root().toString("hex")).toBe(VECTOR_ROOTS[index]);
  }
});

test("the empty tree has the hash of nothing as its root", () => {
  expect(EMPTY_ROOT).toBe(sha256().toString("hex"));
  expect(new TreeBuilder(() => undefined).root().toString("hex")).toBe(EMPTY_ROOT);
});

test("a leaf and a node of the same bytes have different hashes", () => {
  const [left, right] = [sha256(Buffer.of(1)), sha256(Buffer.of(2))];
  expect(leafHash(Buffer.concat([left, right]))).not.toEqual(nodeHash(left, right));
});

describe.each([1, 2, 3, 255, 256, 257, 511, 512, 513])("a tree of %i entries", (size) => {
  const grown = grow(size);
  const tree = createTileTree(size, sourceOf(grown));
  const root = treeHash(grown.entries);

  test("has the root of the reference, from its edge and from its tiles", async () => {
    expect(grown.builder.root()).toEqual(root);
    expect(await tree.rootAt(size)).toEqual(root);
  });

  test("has exactly the partial tiles of its size", () => {
    const partial = partialPlaces(size).filter(({ level }) => level !== "entries");
    const found = [...grown.tiles.keys()].filter((path) => path.includes(".p/"));
    expect(found.sort()).toEqual(
      partial.map(({ level, index, width }) => tilePath(level, index, width)).sort(),
    );
  });

  test("proves each of its entries as the reference does", async () => {
    for (const index of new Set([0, 1, 127, 254, 255, 256, size - 2, size - 1])) {
      if (index < 0 || index >= size) continue;
      const proof = await tree.proveInclusion(index);
      expect(proof).toEqual(auditPath(index, grown.entries));
      const claim = { index, size, root, leaf: leafHash(entryOf(index)), proof };
      expect(verifyInclusion(claim).allowed).toBe(true);
      expect(verifyInclusion({ ...claim, index: index + 1 }).allowed).toBe(false);
      expect(verifyInclusion({ ...claim, leaf: leafHash(Buffer.from("other")) }).allowed).toBe(
        false,
      );
      expect(verifyInclusion({ ...claim, proof: [...proof, root] }).allowed).toBe(false);
      expect(verifyInclusion({ ...claim, proof: proof.slice(1) }).allowed).toBe(size === 1);
    }
  });

  test("continues each of its beginnings as the reference says", async () => {
    for (const oldSize of new Set([0, 1, 2, 3, 128, 255, 256, size - 1, size])) {
      if (oldSize < 0 || oldSize > size) continue;
      const proof = await tree.proveConsistency(oldSize);
      expect(proof).toEqual(consistencyProof(oldSize, grown.entries));
      const oldRoot = treeHash(grown.entries.slice(0, oldSize));
      const claim = { oldSize, oldRoot, newSize: size, newRoot: root, proof };
      expect(verifyConsistency(claim)).toMatchObject({ allowed: true });
      const other = sha256(Buffer.from("other"));
      expect(verifyConsistency({ ...claim, oldRoot: other }).allowed).toBe(false);
      expect(verifyConsistency({ ...claim, newRoot: other }).allowed).toBe(oldSize === 0);
      expect(verifyConsistency({ ...claim, proof: [...proof, root] }).allowed).toBe(false);
      expect(verifyConsistency({ ...claim, proof: proof.slice(0, -1) }).allowed).toBe(
        oldSize === 0 || oldSize === size,
      );
      expect(await tree.rootAt(oldSize)).toEqual(oldRoot);
    }
  });

  test("goes on from its partial tiles as if it had never stopped", () => {
    const builder = new TreeBuilder(() => undefined);
    builder.restore(
      size,
      (level, index, width) => grown.tiles.get(tilePath(level, index, width)) ?? new Uint8Array(),
    );
    const entries = [...grown.entries];
    for (let index = size; index < size + 3; index += 1) {
      entries.push(entryOf(index));
      builder.appendLeafHash(leafHash(entryOf(index)));
    }
    expect(builder.root()).toEqual(treeHash(entries));
  });
});

test("a tree of 70,000 entries has the tiles of the example in tlog-tiles", () => {
  const { tiles } = grow(70_000);
  const partial = [...tiles.keys()].filter((path) => path.includes(".p/"));
  expect(partial.sort()).toEqual(["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]);
  expect([...tiles.keys()].filter((path) => /^tile\/0\/\d+$/.test(path))).toHaveLength(273);
  expect([...tiles.keys()].filter((path) => /^tile\/1\/\d+$/.test(path))).toEqual(["tile/1/000"]);
});

test("proofs between any two sizes and of any index verify, and no other claim does", async () => {
  const grown = grow(600);
  const tree = createTileTree(600, sourceOf(grown));
  const roots = await Promise.all(Array.from({ length: 601 }, (_, size) => tree.rootAt(size)));
  await fc.assert(
    fc.asyncProperty(fc.nat(600), fc.nat(600), fc.nat(600), async (a, b, wrong) => {
      const [oldSize, newSize] = a <= b ? [a, b] : [b, a];
      const proof = await tree.proveConsistency(oldSize, newSize);
      const rootOf = (size: number): Uint8Array => roots[size] ?? new Uint8Array();
      const claim = { oldSize, oldRoot: rootOf(oldSize), newSize, newRoot: rootOf(newSize), proof };
      expect(verifyConsistency(claim).allowed).toBe(true);
      expect(verifyConsistency({ ...claim, oldRoot: rootOf(wrong) }).allowed).toBe(
        wrong === oldSize,
      );
      if (oldSize === newSize) return;
      const path = await tree.proveInclusion(oldSize, newSize);
      const included = {
        index: oldSize,
        size: newSize,
        root: rootOf(newSize),
        leaf: leafHash(entryOf(oldSize)),
        proof: path,
      };
      expect(verifyInclusion(included).allowed).toBe(true);
      expect(verifyInclusion({ ...included, root: rootOf(wrong) }).allowed).toBe(wrong === newSize);
    }),
    { numRuns: 300 },
  );
});

test("verifiers refuse what is no hash and no count, and never throw", () => {
  const hash = sha256();
  fc.assert(
    fc.property(
      fc.double(),
      fc.double(),
      fc.array(fc.uint8Array({ minLength: 31, maxLength: 33 }), { maxLength: 70 }),
      (index, size, proof) => {
        expect(verifyInclusion({ index, size, root: hash, leaf: hash, proof }).allowed).toBe(
          index === 0 && size === 1 && proof.length === 0,
        );
        expect(
          verifyConsistency({
            oldSize: index,
            oldRoot: hash,
            newSize: size,
            newRoot: sha256(hash),
            proof,
          }).allowed,
        ).toBe(index === 0 && Number.isSafeInteger(size) && size > 0 && proof.length === 0);
      },
    ),
  );
});

test("an index beyond the tree, and a tile of another length, throw coded errors", async () => {
  const tree = createTileTree(5, async () => new Uint8Array(31));
  await expect(tree.proveInclusion(5)).rejects.toMatchObject({ code: "TLOG_OPTION" });
  await expect(tree.rootAt(6)).rejects.toMatchObject({ code: "TLOG_OPTION" });
  await expect(tree.proveConsistency(6)).rejects.toMatchObject({ code: "TLOG_OPTION" });
  await expect(tree.rootAt(5)).rejects.toMatchObject({ code: "TLOG_TILE" });
  expect(() => new TreeBuilder(() => undefined).restore(5, () => new Uint8Array(31))).toThrow(
    "31 bytes",
  );
});
