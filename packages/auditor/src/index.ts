/** @module The door of the auditor: writing, verifying and anchoring an audit log. */
export { openAuditor } from "./auditor.ts";
export type { AuditDurability, Auditor, AuditorDeps, AuditorOptions } from "./auditor.ts";
export { AUDITOR_ERRORS, AuditorError } from "./errors.ts";
export type { AuditorErrorCode } from "./errors.ts";
export { EVENT_KINDS, RETENTION_CLASSES } from "./event/event-kinds.ts";
export type { EventKind, EventKindEntry, RetentionClass } from "./event/event-kinds.ts";
export { verifyAuditLog } from "./verify/verify.ts";
export type { AuditFinding, VerifyOptions, VerifyReport } from "./verify/verify.ts";
