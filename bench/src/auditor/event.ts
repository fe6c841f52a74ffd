/** @module The event of the bench: fifteen fields with those of its scope. */
import type { AuditEvent, OperationScope } from "@glovebox/core/ports";

/** The call that the event is of. */
export const SCOPE = {
  pluginId: "rate-table",
  callId: "b7e2c8d0-1111-4222-8333-944455566677",
  tenantId: "tenant-1",
} as unknown as OperationScope;

/** A kind that no budget of a plugin holds back. */
export const KIND = "operator";

/** One event, different from the last in three fields. */
export function eventOf(n: number): AuditEvent {
  return {
    kind: KIND,
    success: n % 16 !== 0,
    function: "query_datasource",
    code: "SANDBOX_TRAP",
    rule: "call.end",
    error: "unreachable executed",
    executionTimeMs: 1.25,
    actor: "operator:ada",
    grantId: "0b2f6a52-2222-4333-8444-955566677788",
    traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
    details: { attempt: n, step: "end" },
  };
}

/** How many persons the events of a host are about, in the bench. */
const PERSONS = 64;

/** With one personal field: the person's id. */
export function personalEventOf(n: number): AuditEvent {
  return { ...eventOf(n), userId: `user-${n % PERSONS}@example.com` };
}
