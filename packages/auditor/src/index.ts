/** @module The door of the auditor: recording, looking through, erasing from and verifying audit logs. */
export { openAuditor } from "./auditor.ts";
export type { AuditDurability, Auditor, AuditorDeps, AuditorOptions } from "./auditor.ts";
export { AUDITOR_ERRORS, AuditorError } from "./errors.ts";
export type { AuditorErrorCode } from "./errors.ts";
export { EVENT_KINDS, RETENTION_CLASSES } from "./event/event-kinds.ts";
export type {
  EventKind,
  EventKindEntry,
  RetentionClass,
  RetentionClassEntry,
} from "./event/event-kinds.ts";
export type { LoggedEvent } from "./event/event-members.ts";
export type {
  Erasure,
  ErasureReceipt,
  PersonRequest,
  RevealedEvent,
  RevealedPage,
  RewrapReceipt,
} from "./erasure/erasure.ts";
export { openAuditReader } from "./audit-reader.ts";
export type { AuditReader } from "./audit-reader.ts";
export type { EventFilter, FoundEvent } from "./query/event-filter.ts";
export type { TailItem, TailOptions } from "./query/live-tail.ts";
export type { EventPage, EventQuery } from "./query/query.ts";
export type { Disk } from "./record/disk-reserve.ts";
export type { FloodOptions, FloodReport } from "./record/flood.ts";
export type { HoldTarget, LegalHold } from "./retention/legal-holds.ts";
export type {
  CleanUp,
  CleanUpRequest,
  HeldPerson,
  Retention,
  RetentionDays,
} from "./retention/retention.ts";
export type { Forwarding, ForwardingState } from "./sinks/forward.ts";
export type { Sink, SinkEvent, SinkResult } from "./sinks/sink.ts";
export { openSubjectKeyFiles } from "./subject/key-files.ts";
export type { SubjectKeyFilesOptions } from "./subject/key-files.ts";
export type { CondemnedKey, SubjectKey, SubjectKeyStore } from "./subject/subject-keys.ts";
export type { Trail, TrailOptions } from "./trail.ts";
export { verifyAuditLog } from "./verify/verify.ts";
export type { AuditFinding, VerifyOptions, VerifyReport } from "./verify/verify.ts";
