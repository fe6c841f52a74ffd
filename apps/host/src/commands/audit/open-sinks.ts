/** @module The receivers of events that a configuration names, opened. */
import { constants } from "node:fs";
import { open } from "node:fs/promises";

import type { Sink } from "@glovebox/auditor";
import {
  createJsonLinesSink,
  createLoggerSink,
  createOtlpSink,
  createPostgresSink,
  createSyslogSink,
  type EventLogger,
  toOcsf,
} from "@glovebox/auditor/sinks";
import { parseBoundedJson } from "@glovebox/core/json";

import { HostError, usageError } from "../../errors.ts";
import { MAX_SMALL_FILE_BYTES, SINK_CONNECT_MS, SINK_QUERY_MS } from "../../limits.ts";
import { readOperatorFile } from "../../operator-file.ts";
import type { SinkConfig } from "./audit-config.ts";

/**
 * Opens them; a receiver that cannot be reached is tried again by the auditor.
 *
 * @throws {@link HostError} (`HOST_FILE`, `HOST_USAGE`), AuditorError (`AUDITOR_OPTION`); what was
 *   opened before is closed then.
 */
export async function openSinks(
  configs: readonly SinkConfig[],
  logger: EventLogger,
): Promise<readonly Sink[]> {
  const sinks: Sink[] = [];
  try {
    for (const config of configs) sinks.push(await openSink(config, logger));
    return sinks;
  } catch (error) {
    for (const sink of sinks) await sink[Symbol.asyncDispose]();
    throw error;
  }
}

async function openSink(config: SinkConfig, logger: EventLogger): Promise<Sink> {
  const { name = config.type } = config;
  if (config.type === "logger") return createLoggerSink({ name, logger });
  if (config.type === "postgres") return openPostgres(name, config);
  if (config.type === "otlp") {
    return createOtlpSink({ name, url: config.url, headers: await headersOf(config) });
  }
  if (config.type === "syslog") {
    return createSyslogSink({
      name,
      host: config.host,
      ...(config.port === undefined ? {} : { port: config.port }),
      tls: config.clear === true ? false : await tlsOf(config),
    });
  }
  const stream = await appendTo(config.path);
  return createJsonLinesSink({ name, stream, ...(config.type === "ocsf" ? { map: toOcsf } : {}) });
}

/** Appends to a file of its owner's; a link or a pipe in its place is refused (CWE-59). */
async function appendTo(path: string) {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  const flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK;
  const file = await open(path, flags, 0o600).catch((cause: unknown) => {
    const { code = "unknown error" } = cause as { code?: string };
    throw new HostError("HOST_FILE", { message: `${path} cannot be appended to: ${code}`, cause });
  });
  if ((await file.stat()).isFile()) return file.createWriteStream();
  await file.close();
  throw new HostError("HOST_FILE", { message: `${path} is no regular file` });
}

async function headersOf({
  headersFile,
}: SinkConfig & { readonly type: "otlp" }): Promise<Readonly<Record<string, string>>> {
  if (headersFile === undefined) return {};
  const json = parseBoundedJson(await read(headersFile), { maxBytes: MAX_SMALL_FILE_BYTES });
  const headers = json.allowed ? Object(json.value) : [];
  const isText = Object.values(headers).every((value) => typeof value === "string");
  // Nothing of it is quoted: it is a secret.
  if (!isText || Array.isArray(headers)) {
    throw usageError(`${headersFile} must hold a JSON object of texts`);
  }
  return headers as Readonly<Record<string, string>>;
}

async function tlsOf({
  caFile,
  certificateFile,
  keyFile,
}: SinkConfig & { readonly type: "syslog" }): Promise<object> {
  return {
    ...(caFile === undefined ? {} : { ca: await read(caFile) }),
    ...(certificateFile === undefined ? {} : { cert: await read(certificateFile) }),
    ...(keyFile === undefined ? {} : { key: await read(keyFile) }),
  };
}

async function openPostgres(
  name: string,
  { connectionFile, table }: SinkConfig & { readonly type: "postgres" },
): Promise<Sink> {
  const connectionString = (await read(connectionFile)).toString("utf8").trim();
  const { default: pg } = await import("pg");
  const pool = new pg.Pool({
    connectionString,
    max: 1,
    connectionTimeoutMillis: SINK_CONNECT_MS,
    query_timeout: SINK_QUERY_MS,
  });
  // Of a connection that is idle; the next batch opens another one.
  pool.on("error", () => undefined);
  const client = {
    query: (statement: string, values?: readonly unknown[]) =>
      pool.query(statement, values === undefined ? undefined : [...values]),
  };
  const sink = createPostgresSink({ name, client, ...(table === undefined ? {} : { table }) });
  return { ...sink, [Symbol.asyncDispose]: () => pool.end() };
}

function read(file: string): Promise<Buffer> {
  return readOperatorFile(file, MAX_SMALL_FILE_BYTES);
}
