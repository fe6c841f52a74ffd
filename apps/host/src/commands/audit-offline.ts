/**
 * @module What the commands of `audit` share that write to the logs: they open them as the host does,
 * with its configuration and in its place, and say in the log who did what and why.
 */
import { type Auditor, type AuditorOptions, openAuditor } from "@glovebox/auditor";

import { usageError } from "../errors.ts";
import { readAuditConfig } from "./audit/audit-config.ts";

/** Why and by whom. */
export interface OperatorOptions {
  readonly reason: string;
  /** Name of the operator. */
  readonly operator: string;
  /** The host's `--audit-config`. */
  readonly config?: string;
}

const OPERATOR = /^[\x21-\x7e]{1,110}$/;

/** Reason and actor for the log. @throws {@link HostError} (`HOST_USAGE`) */
export function requestOf({ reason, operator }: OperatorOptions): {
  readonly reason: string;
  readonly actor: string;
} {
  if (!OPERATOR.test(operator)) throw usageError("--operator is a name without spaces");
  return { reason, actor: `operator:${operator}` };
}

/**
 * Opens the logs of a host that does not run; a window that is given beats the configuration's, and
 * copies of keys are added to them.
 *
 * @throws {@link HostError} (`HOST_FILE`, `HOST_USAGE`), AuditorError as `openAuditor`
 */
export async function openOffline(
  directory: string,
  { config }: Pick<OperatorOptions, "config">,
  more: Partial<AuditorOptions> = {},
): Promise<Auditor> {
  const { auditor, wrappingKey } = await readAuditConfig(config);
  const retentionDays = { ...auditor.retentionDays, ...more.retentionDays };
  // An erasure reaches every copy that was ever named.
  const keyCopies = [...(auditor.keyCopies ?? []), ...(more.keyCopies ?? [])];
  return openAuditor(
    { ...auditor, ...more, retentionDays, keyCopies, directory },
    wrappingKey === undefined ? {} : { wrappingKey },
  );
}
