/** @module The door @glovebox/tlog/policy. C2SP tlog-policy: whom to believe. */
export { checkQuorum } from "./check-quorum.ts";
export type { QuorumCheckpoint } from "./check-quorum.ts";
export { parsePolicy } from "./policy.ts";
export type { PolicyKey, QuorumRule, TlogPolicy } from "./policy.ts";
