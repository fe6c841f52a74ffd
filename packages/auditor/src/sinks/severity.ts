/** @module How grave an event is, in the words of each protocol; one table. */
import type { EventKind } from "../event/event-kinds.ts";
import type { LoggedEvent } from "../event/event-members.ts";

/** RFC 5424 table 2, OpenTelemetry SeverityNumber, OCSF severity_id. */
export interface Severity {
  readonly syslog: number;
  readonly otel: number;
  readonly text: string;
  readonly ocsf: number;
}

const CRITICAL: Severity = { syslog: 2, otel: 21, text: "FATAL", ocsf: 5 };
const ERROR: Severity = { syslog: 3, otel: 17, text: "ERROR", ocsf: 4 };
const WARNING: Severity = { syslog: 4, otel: 13, text: "WARN", ocsf: 3 };
const NOTICE: Severity = { syslog: 5, otel: 10, text: "INFO2", ocsf: 2 };
const INFORMATIONAL: Severity = { syslog: 6, otel: 9, text: "INFO", ocsf: 1 };

const BY_KIND: Partial<Readonly<Record<EventKind, Severity>>> = {
  violation: CRITICAL,
  quarantine: ERROR,
  alert: ERROR,
  interrupted: WARNING,
  throttle: WARNING,
  loosening: WARNING,
  delivery: WARNING,
  revoke: NOTICE,
  operator: NOTICE,
  configuration: NOTICE,
  key: NOTICE,
  erasure: NOTICE,
  export: NOTICE,
  prune: NOTICE,
  hold: NOTICE,
};

/** By its kind; else a failure is a warning, and success is information. */
export function severityOf({ kind, success }: LoggedEvent): Severity {
  return BY_KIND[kind] ?? (success ? INFORMATIONAL : WARNING);
}
