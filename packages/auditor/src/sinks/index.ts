/** @module The door @glovebox/auditor/sinks. Receivers of events besides the log. */
export { createJsonLinesSink } from "./json-lines.ts";
export type { JsonLinesOptions } from "./json-lines.ts";
export { createLoggerSink } from "./logger.ts";
export type { EventLogger } from "./logger.ts";
export { toOcsf } from "./ocsf.ts";
export { createOtlpSink } from "./otlp.ts";
export type { OtlpOptions } from "./otlp.ts";
export { createPostgresSink, postgresSchema } from "./postgres.ts";
export type { PostgresOptions, SqlClient } from "./postgres.ts";
export type { Sink, SinkEvent, SinkResult } from "./sink.ts";
export { createSyslogSink } from "./syslog.ts";
export type { SyslogOptions } from "./syslog.ts";
