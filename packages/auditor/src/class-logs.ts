/**
 * @module The logs of a host, one per retention class: the origin that they share, the key of each, and
 * the witnesses that cosign their checkpoints. `auditor.ts` opens them together.
 */
import { randomUUID } from "node:crypto";
import { join } from "node:path";

import { received } from "@glovebox/core/errors";
import { type NoteSigner, parseVerifierKey } from "@glovebox/tlog/note";
import { parsePolicy, type PolicyKey, type TlogPolicy } from "@glovebox/tlog/policy";

import { AuditorError } from "./errors.ts";
import type { RetentionClass } from "./event/event-kinds.ts";
import { DEFAULT_WITNESSED_SEAL_INTERVAL_MS } from "./limits.ts";
import { type LogFileSystem, nodeFileSystem, prepareDirectory } from "./log/file-system.ts";
import { openKeyFile } from "./log/key-file.ts";
import { readLogKeys } from "./log/log-keys.ts";
import { openAuditLog, type OpenedLog } from "./log/open-log.ts";
import type { LockDeps } from "./log/writer-lock.ts";
import { createCosigner } from "./witness/request-cosignatures.ts";

/** What the logs of all classes are opened with: options and deps of the auditor. */
export interface OpeningParts {
  readonly maxQueuedEvents?: number;
  readonly anchorDirectory?: string;
  readonly sealIntervalMs?: number;
  readonly policy: TlogPolicy | undefined;
  readonly signers?: (origin: string) => Promise<readonly NoteSigner[]>;
  readonly fileSystem?: LogFileSystem;
  readonly lock?: LockDeps;
}

/**
 * Opens the log of a class.
 *
 * @throws {@link AuditorError} as `openAuditor`
 */
export async function openClassLog(
  kept: RetentionClass,
  directory: string,
  origin: string,
  parts: OpeningParts,
): Promise<OpenedLog> {
  const { maxQueuedEvents, anchorDirectory = `${directory}.checkpoints` } = parts;
  const { policy, fileSystem, lock } = parts;
  await prepareDirectory(anchorDirectory, fileSystem ?? nodeFileSystem);
  const signers = (await parts.signers?.(origin)) ?? [
    await openKeyFile(`${directory}.${kept}.key`, origin),
  ];
  const sealIntervalMs =
    parts.sealIntervalMs ?? (policy === undefined ? undefined : DEFAULT_WITNESSED_SEAL_INTERVAL_MS);
  return openAuditLog(
    {
      directory: join(directory, kept),
      origin,
      anchorPath: join(anchorDirectory, kept),
      ...(maxQueuedEvents === undefined ? {} : { maxQueuedEntries: maxQueuedEvents }),
      ...(sealIntervalMs === undefined ? {} : { sealIntervalMs }),
    },
    {
      signers,
      // The log believes itself; whom others believe is theirs to say.
      ...(policy === undefined
        ? {}
        : { cosign: createCosigner({ ...policy, logs: signers.map(ownKey) }) }),
      ...(fileSystem === undefined ? {} : { fileSystem }),
      ...(lock === undefined ? {} : { lock }),
    },
  );
}

/**
 * The host's name as the option or the logs that are there say.
 *
 * @throws {@link AuditorError} (`AUDITOR_ORIGIN`) where they differ
 */
export async function originOf(
  origin: string | undefined,
  directory: string,
  classes: readonly RetentionClass[],
): Promise<string> {
  for (const kept of classes) {
    const keys = await readLogKeys(nodeFileSystem, join(directory, kept)).catch(() => undefined);
    const known = keys?.first?.name;
    if (known === undefined) continue;
    const host = known.endsWith(`/${kept}`) ? known.slice(0, -kept.length - 1) : known;
    if (origin === undefined || origin === host) return host;
    const message = `the logs are of ${received(host)}; the option says ${received(origin)}`;
    throw new AuditorError("AUDITOR_ORIGIN", { message });
  }
  return origin ?? `glovebox/${randomUUID()}`;
}

/** Others' lines of a policy are refused where they are read; these are ours. */
function ownKey({ vkey }: NoteSigner): PolicyKey {
  const key = parseVerifierKey(vkey);
  if (!key.allowed) throw new AuditorError("AUDITOR_KEY", { message: key.reason });
  return { key: key.value };
}

/** A policy file as an option. @throws {@link AuditorError} (`AUDITOR_OPTION`) */
export function policyOf(text: string): TlogPolicy {
  const policy = parsePolicy(text);
  if (!policy.allowed) {
    const message = `witnessPolicy is a policy file: ${policy.reason}`;
    throw new AuditorError("AUDITOR_OPTION", { message });
  }
  return policy.value;
}
