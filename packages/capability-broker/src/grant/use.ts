/**
 * @module The checks that every use of a grant starts with (I5): not revoked, the right plugin, the
 * call still running.
 */
import { type Decision, allow, refuse } from "@glovebox/core/decision";
import type { PluginId } from "@glovebox/core/ids";
import type { CallScope } from "@glovebox/core/ports";

import { BROKER_ERRORS, BrokerError, type BrokerErrorCode } from "../errors.ts";
import type { RevocationCell } from "./revocation.ts";

/** Whose grant is used. */
export interface GrantUse {
  readonly pluginId: PluginId;
}

/** Whether the grant may be used for this call, now. */
export function checkUse(owner: GrantUse, cell: RevocationCell, scope: CallScope): Decision<void> {
  const code = problemOf(owner, cell, scope);
  return code === undefined
    ? allow("grant.use", undefined)
    : refuse(code, "grant.use", BROKER_ERRORS[code].summary);
}

/**
 * The same, for handles.
 *
 * @throws {@link BrokerError} (`BROKER_REVOKED`, `BROKER_EXPIRED`, `BROKER_FOREIGN_SCOPE`, `BROKER_CANCELLED`)
 */
export function assertUse(owner: GrantUse, cell: RevocationCell, scope: CallScope): void {
  const code = problemOf(owner, cell, scope);
  if (code !== undefined) throw new BrokerError(code);
}

function problemOf(
  owner: GrantUse,
  cell: RevocationCell,
  scope: CallScope,
): BrokerErrorCode | undefined {
  const { endedBy } = cell;
  if (endedBy !== undefined) return endedBy;
  if (scope.pluginId !== owner.pluginId) return "BROKER_FOREIGN_SCOPE";
  return scope.signal.aborted ? "BROKER_CANCELLED" : undefined;
}
