/** @module The door @glovebox/tlog/checkpoint. Checkpoints, proofs that stand alone, evidence. */
export { formatCheckpoint, openCheckpoint, parseCheckpoint } from "./checkpoint.ts";
export type { Checkpoint, OpenedCheckpoint } from "./checkpoint.ts";
export { formatForkEvidence, verifyForkEvidence } from "./fork-evidence.ts";
export type { ForkEvidence } from "./fork-evidence.ts";
export { formatTlogProof, parseTlogProof, verifyTlogProof } from "./tlog-proof.ts";
export type { TlogProof } from "./tlog-proof.ts";
