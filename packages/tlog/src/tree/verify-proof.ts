/**
 * @module Verifying that an entry is in a tree (RFC 9162 section 2.1.3.2) and that one tree continues
 * another (section 2.1.4.2). Everything but the trusted root is attacker-controlled.
 */
import { allow, type Decision, type Refusal, refuse } from "@glovebox/core/decision";

import { MAX_PROOF_HASHES } from "../limits.ts";
import { EMPTY_ROOT, HASH_BYTES, nodeHash } from "./hash.ts";

/** A claim that an entry is at an index of a tree. */
export interface InclusionClaim {
  readonly index: number;
  readonly size: number;
  readonly root: Uint8Array;
  /** See `leafHash`. */
  readonly leaf: Uint8Array;
  /** From the entry's sibling upward. */
  readonly proof: readonly Uint8Array[];
}

/** A claim that the newer tree begins with all entries of the older one. */
export interface ConsistencyClaim {
  readonly oldSize: number;
  readonly oldRoot: Uint8Array;
  readonly newSize: number;
  readonly newRoot: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/** Refuses with `TLOG_PROOF` unless the entry is in the tree. */
export function verifyInclusion(claim: InclusionClaim): Decision<void> {
  const { index, size, root, leaf, proof } = claim;
  if (!isCount(index) || !isCount(size) || index >= size) {
    return notProved("inclusion", `there is no index ${index} in a tree of ${size}`);
  }
  if (!areHashes(root, leaf, ...proof)) return notProved("inclusion", "its hashes are malformed");
  let position = index;
  let last = size - 1;
  let hash = leaf;
  for (const sibling of proof) {
    if (last === 0) return notProved("inclusion", "the proof has too many hashes");
    if (position % 2 === 1 || position === last) {
      hash = nodeHash(sibling, hash);
      // At the right edge a node without a sibling rises unhashed.
      while (position % 2 === 0 && position !== 0) [position, last] = [half(position), half(last)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [position, last] = [half(position), half(last)];
  }
  if (last !== 0) return notProved("inclusion", "the proof has too few hashes");
  return isSame(hash, root)
    ? allow("tlog.inclusion", undefined)
    : notProved("inclusion", "it leads to another root");
}

/** Refuses with `TLOG_PROOF` unless the newer tree continues the older one. */
export function verifyConsistency(claim: ConsistencyClaim): Decision<void> {
  const { oldSize, oldRoot, newSize, newRoot, proof } = claim;
  if (!isCount(oldSize) || !isCount(newSize) || oldSize > newSize) {
    return notProved("consistency", `a tree of ${newSize} does not continue one of ${oldSize}`);
  }
  if (!areHashes(oldRoot, newRoot, ...proof))
    return notProved("consistency", "its hashes are malformed");
  if (oldSize === 0 || oldSize === newSize) return verifyTrivial(claim);
  // An old tree that is complete is itself the first hash, which is then left out of the proof.
  const [first, ...rest] = isPowerOfTwo(oldSize) ? [oldRoot, ...proof] : proof;
  if (first === undefined) return notProved("consistency", "the proof has too few hashes");
  let position = oldSize - 1;
  let last = newSize - 1;
  while (position % 2 === 1) [position, last] = [half(position), half(last)];
  let oldHash = first;
  let newHash = first;
  for (const sibling of rest) {
    if (last === 0) return notProved("consistency", "the proof has too many hashes");
    if (position % 2 === 1 || position === last) {
      oldHash = nodeHash(sibling, oldHash);
      newHash = nodeHash(sibling, newHash);
      while (position % 2 === 0 && position !== 0) [position, last] = [half(position), half(last)];
    } else {
      newHash = nodeHash(newHash, sibling);
    }
    [position, last] = [half(position), half(last)];
  }
  if (last !== 0) return notProved("consistency", "the proof has too few hashes");
  if (!isSame(oldHash, oldRoot)) return notProved("consistency", "it leads to another old root");
  if (!isSame(newHash, newRoot)) return notProved("consistency", "it leads to another new root");
  return allow("tlog.consistency", undefined);
}

/** The empty tree is continued by every tree, and each tree by itself: neither needs a hash. */
function verifyTrivial({
  oldSize,
  oldRoot,
  newSize,
  newRoot,
  proof,
}: ConsistencyClaim): Decision<void> {
  if (proof.length > 0) return notProved("consistency", "the proof has too many hashes");
  if (oldSize === 0 && !isSame(oldRoot, Buffer.from(EMPTY_ROOT, "hex"))) {
    return notProved("consistency", "the old root is not that of the empty tree");
  }
  if (oldSize === newSize && !isSame(oldRoot, newRoot)) {
    return notProved("consistency", "two trees of one size have two roots");
  }
  return allow("tlog.consistency", undefined);
}

function areHashes(...hashes: readonly Uint8Array[]): boolean {
  return (
    hashes.length <= MAX_PROOF_HASHES + 2 && hashes.every((hash) => hash.length === HASH_BYTES)
  );
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function half(value: number): number {
  return Math.floor(value / 2);
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(Math.log2(value)) && 2 ** Math.round(Math.log2(value)) === value;
}

function isSame(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}

function notProved(what: "inclusion" | "consistency", problem: string): Refusal {
  return refuse("TLOG_PROOF", `tlog.${what}`, `no proof of ${what}: ${problem}`);
}
