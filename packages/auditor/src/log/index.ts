/** @module The door @glovebox/auditor/log. A log of opaque entries, and its key in a file. */
export { openKeyFile } from "./key-file.ts";
export type { KeyFileType } from "./key-file.ts";
export { readLogVerifierKeys } from "./log-keys.ts";
export { openLogReader } from "./log-reader.ts";
export type { LogReader, ReaderState } from "./log-reader.ts";
export { openAuditLog } from "./open-log.ts";
export type { AuditLogDeps, AuditLogOptions, OpenedLog } from "./open-log.ts";
export type { AuditLog, LogEntry, LogPlace, LogPriority, LogState, StoredEntry } from "./log.ts";
export type { LockOwner, ProcessTable } from "./lock-owner.ts";
export type { LogFile, LogFileSystem, OpenMode } from "./file-system.ts";
export type { CheckpointCosigner } from "./seal.ts";
export type { CutTail } from "./recover.ts";
export type { LockDeps, WriterLock } from "./writer-lock.ts";
