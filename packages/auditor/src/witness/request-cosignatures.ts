/**
 * @module Asking witnesses to cosign a log's checkpoint (C2SP tlog-witness, `add-checkpoint`), until
 * the quorum of a policy is met. What a witness answers counts only if its key verifies it.
 */
import { allow, type Decision, refuse } from "@glovebox/core/decision";
import { openNote } from "@glovebox/tlog/note";
import { checkQuorum, type PolicyKey, type TlogPolicy } from "@glovebox/tlog/policy";

import type { AuditLog } from "../log/log.ts";
import type { CheckpointCosigner } from "../log/seal.ts";

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 65_536;

/** Sends a request; by default `fetch` of Node.js. */
export type WitnessFetch = (
  url: string,
  init: {
    readonly method: "POST";
    readonly body: string;
    readonly redirect: "error";
    readonly signal: AbortSignal;
  },
) => Promise<Response>;

/**
 * Answers the log's checkpoint with all cosignatures that were given; refuses with `TLOG_QUORUM` if
 * they are too few. Only witnesses of the policy that have a URL are asked, all at once.
 */
export async function requestCosignatures(
  log: Pick<AuditLog, "checkpoint" | "proveConsistency">,
  policy: TlogPolicy,
  send: WitnessFetch = fetch,
): Promise<Decision<string>> {
  const checkpoint = log.checkpoint();
  const lines = await Promise.all(
    [...policy.witnesses.values()].map((witness) =>
      ask(log, checkpoint, witness, send).catch(() => ""),
    ),
  );
  const cosigned = checkpoint + lines.join("");
  const met = checkQuorum(cosigned, policy);
  if (met.allowed) return allow("audit.cosigned", cosigned);
  return refuse(met.code, met.rule, met.reason);
}

/**
 * For `deps.cosign` of `openAuditLog`: each checkpoint is published with the cosignatures that the
 * policy asks for, or not yet.
 */
export function createCosigner(policy: TlogPolicy, send?: WitnessFetch): CheckpointCosigner {
  return (checkpoint, proveConsistency) =>
    requestCosignatures({ checkpoint: () => checkpoint, proveConsistency }, policy, send);
}

/** The witness's signature lines for the checkpoint; `""` if it gives none. */
async function ask(
  log: Pick<AuditLog, "proveConsistency">,
  checkpoint: string,
  { key, url }: PolicyKey,
  send: WitnessFetch,
): Promise<string> {
  if (url === undefined) return "";
  const size = Number(checkpoint.split("\n")[1]);
  let oldSize = size;
  // The second time with what the witness says it knows.
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const proof = await log.proveConsistency(oldSize, size);
    const hashes = proof.map((hash) => `${Buffer.from(hash).toString("base64")}\n`).join("");
    const response = await send(`${url.replace(/\/$/, "")}/add-checkpoint`, {
      method: "POST",
      body: `old ${oldSize}\n${hashes}\n${checkpoint}`,
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const body = await bounded(response);
    if (response.status === 409 && /^(0|[1-9]\d{0,15})\n$/.test(body) && Number(body) <= size) {
      oldSize = Number(body);
      continue;
    }
    // The answer is the witness's: it counts as far as its key vouches for it.
    const isSigned = response.status === 200 && openNote(checkpoint + body, [key]).allowed;
    return isSigned ? body : "";
  }
  return "";
}

async function bounded(response: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of response.body ?? []) {
    bytes += piece.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error("the answer is too long");
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}
