/**
 * @module What operators approved, as a file of the data directory beside the key that seals it. A
 * line that was changed there is nobody's approval, for its seal does not hold; whoever can read the
 * key can approve. The file is read once, and replaced as a whole.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";

import type { Decision } from "@glovebox/core/decision";
import { type JsonValue, parseBoundedJson } from "@glovebox/core/json";
import type { ApprovalStore } from "@glovebox/runtime";

import { MAX_APPROVALS_FILE_BYTES, MAX_JSON_KEYS, SEAL_KEY_BYTES } from "../limits.ts";
import { problem, readPrivateFile, replacePrivateFile } from "./private-file.ts";

type Approval = Parameters<ApprovalStore["save"]>[0];

const KEY_FILE = "approvals.key";
const MAX_DEPTH = 8;

/**
 * Opens the approvals of a data directory; a missing key is made.
 *
 * @throws {@link HostError} (`HOST_PRIVATE_FILE`)
 */
export async function openApprovalFile(directory: string, name: string): Promise<ApprovalStore> {
  const keyPath = join(directory, KEY_FILE);
  const path = join(directory, name);
  let sealKey = await readPrivateFile(keyPath, SEAL_KEY_BYTES);
  if (sealKey === undefined) {
    sealKey = randomBytes(SEAL_KEY_BYTES);
    await replacePrivateFile(keyPath, sealKey);
  }
  if (sealKey.length !== SEAL_KEY_BYTES) throw problem(keyPath, `no ${SEAL_KEY_BYTES} bytes`);
  const kept = new Map<string, Approval>();
  for (const approval of await readApprovals(path)) kept.set(approval.pluginId, approval);

  let last: Promise<void> = Promise.resolve();
  /** What is to be kept, until it is or is taken back. */
  const saving = new Set<Approval>();
  /** One after the other, so that the file is always one of the states in their order. */
  function inTurn(work: () => Promise<void>): Promise<void> {
    const next = last.then(work);
    last = next.catch(() => undefined);
    return next;
  }
  async function write(approvals: Iterable<Approval>): Promise<void> {
    const text = Buffer.from(`${JSON.stringify({ approvals: [...approvals] }, undefined, 2)}\n`);
    const parsed = parseApprovals(text);
    // A file that cannot be read again would end the next start, and take every approval with it.
    if (!parsed.allowed) throw problem(path, parsed.reason);
    await replacePrivateFile(path, text);
  }

  return {
    sealKey,
    list: () => [...kept.values()],
    save(approval) {
      saving.add(approval);
      return inTurn(async () => {
        try {
          if (!saving.has(approval)) return;
          await write(new Map(kept).set(approval.pluginId, approval).values());
          // Taken back while it was written: what removes it is in the queue behind this.
          if (saving.has(approval)) kept.set(approval.pluginId, approval);
        } finally {
          saving.delete(approval);
        }
      });
    },
    remove(pluginId) {
      kept.delete(pluginId);
      for (const approval of saving) if (approval.pluginId === pluginId) saving.delete(approval);
      return inTurn(() => write(kept.values()));
    },
  };
}

/** What is in the file; only the form is checked here, for the seal says whether it is believed. */
async function readApprovals(path: string): Promise<readonly Approval[]> {
  const bytes = await readPrivateFile(path, MAX_APPROVALS_FILE_BYTES);
  if (bytes === undefined) return [];
  const parsed = parseApprovals(bytes);
  if (!parsed.allowed) throw problem(path, parsed.reason);
  const { approvals } = (parsed.value ?? {}) as { readonly approvals?: unknown };
  const isList = Array.isArray(approvals) && approvals.every(isApproval);
  if (!isList) throw problem(path, "it holds no list of approvals");
  return approvals;
}

function parseApprovals(bytes: Uint8Array): Decision<JsonValue> {
  return parseBoundedJson(bytes, {
    maxBytes: MAX_APPROVALS_FILE_BYTES,
    maxDepth: MAX_DEPTH,
    maxKeys: MAX_JSON_KEYS,
  });
}

const TEXTS = ["pluginId", "publisher", "requestDigest", "operator", "seal"];

function isApproval(value: unknown): value is Approval {
  if (typeof value !== "object" || value === null) return false;
  const members = value as Readonly<Record<string, unknown>>;
  return (
    TEXTS.every((name) => typeof members[name] === "string") &&
    typeof members["approvedAtMs"] === "number" &&
    Number.isFinite(new Date(members["approvedAtMs"]).getTime()) &&
    typeof members["request"] === "object" &&
    members["request"] !== null
  );
}
