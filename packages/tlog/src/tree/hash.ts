/**
 * @module The hashes of RFC 6962 section 2.1: leaf = SHA-256(0x00 || entry), node = SHA-256(0x01 ||
 * left || right), empty tree = SHA-256(""). Different first bytes keep a node from being passed off
 * as an entry.
 *
 * This is the hot path (bench `auditor`): hashes travel as latin1 strings of 32 characters, which in
 * Node.js cost a quarter of a Buffer for each, and one buffer is reused for all nodes.
 */
import { hash } from "node:crypto";

/** Bytes of a SHA-256 hash. */
export const HASH_BYTES = 32;

/** Root of the tree without entries (RFC 6962 section 2.1). */
export const EMPTY_ROOT: string = hash("sha256", "", "hex");

const RFC6962_LEAF_PREFIX = 0x00;
const RFC6962_NODE_PREFIX = 0x01;

const node = Buffer.alloc(1 + 2 * HASH_BYTES);
node[0] = RFC6962_NODE_PREFIX;

/** Hash of an entry. */
export function leafHash(entry: Uint8Array): Uint8Array {
  const prefixed = Buffer.allocUnsafe(entry.length + 1);
  prefixed[0] = RFC6962_LEAF_PREFIX;
  prefixed.set(entry, 1);
  return hash("sha256", prefixed, "buffer");
}

/**
 * Hash, as latin1, of the entry in `bytes[start, end)`, in place: the byte before the entry is lent
 * for the prefix and given back, so that nothing else may read `bytes` meanwhile. `start` ≥ 1.
 */
export function leafHashInPlace(bytes: Buffer, start: number, end: number): string {
  const lent = bytes[start - 1] ?? 0;
  bytes[start - 1] = RFC6962_LEAF_PREFIX;
  const digest = hash("sha256", bytes.subarray(start - 1, end), "latin1");
  bytes[start - 1] = lent;
  return digest;
}

/** Hash of two subtrees. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  node.set(left, 1);
  node.set(right, 1 + HASH_BYTES);
  return hash("sha256", node, "buffer");
}

/** Hash of two subtrees, as latin1. */
export function nodeHashLatin1(left: string, right: string): string {
  node.write(left, 1, HASH_BYTES, "latin1");
  node.write(right, 1 + HASH_BYTES, HASH_BYTES, "latin1");
  return hash("sha256", node, "latin1");
}

/** Hash, as latin1, of two subtrees whose hashes lie side by side at `offset`, as in a tile. */
export function pairHashLatin1(hashes: Buffer, offset: number): string {
  hashes.copy(node, 1, offset, offset + 2 * HASH_BYTES);
  return hash("sha256", node, "latin1");
}
