/**
 * @module The audit port (contract.md 7, invariant I6): an event has its place in the log before the
 * effect that it tells of.
 */
import type { Decision } from "../decision/index.ts";
import type { JsonValue } from "../json/index.ts";
import type { Usage } from "./outcome.ts";
import type { OperationScope } from "./scope.ts";

/** Takes an event's place before its effect; a full or broken log refuses. */
export interface DecisionLog {
  record(scope: OperationScope, event: AuditEvent): Decision<AuditPlace>;
}

/** Is only told, and cannot refuse. */
export interface EventSink {
  onEvent(scope: OperationScope, event: AuditEvent): void;
}

/**
 * One security-relevant step; `details` holds no secrets and no personal data. Kinds: the auditor's
 * table.
 */
export interface AuditEvent {
  readonly kind: string;
  readonly success: boolean;
  readonly function?: string;
  /** The person that it concerns; kept encrypted under a key of that person. */
  readonly userId?: string;
  /** What else is personal, by name; kept as `userId`, which it needs. */
  readonly personal?: Readonly<Record<string, string>>;
  /** Who acted, where it was not the plugin: `host` or `operator:NAME`. */
  readonly actor?: string;
  readonly grantId?: string;
  /** W3C Trace Context: 32 lower-case hexadecimal digits. */
  readonly traceId?: string;
  readonly code?: string;
  readonly rule?: string;
  readonly error?: string;
  readonly executionTimeMs?: number;
  readonly resourceUsage?: Usage;
  readonly details?: Readonly<Record<string, JsonValue>>;
}

/** An event's place in the queue, and when it is on disk and under a published head. */
export interface AuditPlace {
  readonly place: number;
  readonly durable: Promise<Receipt>;
  readonly sealed: Promise<Receipt>;
}

/** Where an event stands in a log. */
export interface Receipt {
  readonly origin: string;
  readonly index: number;
  readonly size: number;
}
