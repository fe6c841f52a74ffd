/** @module The door @glovebox/tlog/tree. RFC 6962 trees: hashes, growth, proofs. */
export { EMPTY_ROOT, leafHash, nodeHash } from "./hash.ts";
export { createTileTree } from "./tile-tree.ts";
export type { TileSource, TileTree } from "./tile-tree.ts";
export { TreeBuilder } from "./tree-builder.ts";
export type { GrownTile } from "./tree-builder.ts";
export { verifyConsistency, verifyInclusion } from "./verify-proof.ts";
export type { ConsistencyClaim, InclusionClaim } from "./verify-proof.ts";
