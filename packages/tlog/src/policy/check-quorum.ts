/** @module Whether a checkpoint is to be believed under a policy: signed by a log of it, cosigned by a quorum. */
import { allow, type Decision, refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";

import { type OpenedCheckpoint, openCheckpoint } from "../checkpoint/checkpoint.ts";
import type { QuorumRule, TlogPolicy } from "./policy.ts";

/** A checkpoint that satisfies a policy. */
export interface QuorumCheckpoint extends OpenedCheckpoint {
  /** Names, as in the policy, of the witnesses that cosigned it. */
  readonly witnesses: readonly string[];
}

/**
 * Opens a checkpoint under a policy. The key of a log must have the origin as its name; with several
 * keys of one name, as during a rotation, one signature is enough.
 */
export function checkQuorum(
  raw: Uint8Array | string,
  policy: TlogPolicy,
): Decision<QuorumCheckpoint> {
  const { logs, witnesses, quorum } = policy;
  const keys = [...logs, ...witnesses.values()].map(({ key }) => key);
  const opened = openCheckpoint(raw, keys);
  if (!opened.allowed) return opened;
  const { origin, note } = opened.value;
  const signed = new Set(note.verified.map(({ key }) => key));
  if (!logs.some(({ key }) => signed.has(key) && key.name === origin)) {
    return refuse(
      "TLOG_SIGNATURE",
      "tlog.policy",
      `no log of the policy named ${received(origin)} signed the checkpoint`,
    );
  }
  const cosigned = [...witnesses].flatMap(([name, { key }]) => (signed.has(key) ? [name] : []));
  if (quorum !== undefined && !isMet(quorum, new Set(cosigned))) {
    return refuse(
      "TLOG_QUORUM",
      "tlog.policy",
      `the quorum is not met by ${cosigned.length} witnesses: ${received(cosigned.join(", "))}`,
    );
  }
  return allow("tlog.policy", Object.freeze({ ...opened.value, witnesses: cosigned }));
}

function isMet(rule: QuorumRule, cosigned: ReadonlySet<string>): boolean {
  if ("witness" in rule) return cosigned.has(rule.witness);
  return rule.members.filter((member) => isMet(member, cosigned)).length >= rule.threshold;
}
