/**
 * @module OTLP logs over HTTP in their JSON encoding (opentelemetry-proto 1.x; ids as hex, 64-bit
 * integers as text). `partialSuccess` says what the receiver refused for good; status 429, 502, 503
 * and 504 are worth another try, other errors are not (OTLP specification, "OTLP/HTTP Response").
 */
import { MAX_SINK_ANSWER_BYTES } from "../limits.ts";
import { severityOf } from "./severity.ts";
import type { Sink, SinkEvent } from "./sink.ts";

/** Where the collector is. */
export interface OtlpOptions {
  /** Names the sink in the log, and its position. Default: that of the protocol. */
  readonly name?: string;
  /** Such as `https://collector.example:4318/v1/logs`. */
  readonly url: string;
  /** Sent with every request, for example an authorisation. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Default `glovebox`. */
  readonly serviceName?: string;
  /** Default: the platform's. */
  readonly fetch?: typeof fetch;
}

const RETRYABLE: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);

/** Sends events as log records. */
export function createOtlpSink(options: OtlpOptions): Sink {
  const {
    name = "otlp",
    url,
    headers = {},
    serviceName = "glovebox",
    fetch: request = fetch,
  } = options;
  return {
    name,
    async send(batch, signal) {
      const response = await request(url, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: JSON.stringify(logsDataOf(batch, serviceName)),
        redirect: "error",
        signal,
      });
      const answer = await textOf(response);
      if (response.ok) return { rejected: rejectedOf(answer) };
      if (RETRYABLE.has(response.status))
        throw new Error(`the collector answered ${response.status}`);
      return { rejected: batch.length };
    },
    async [Symbol.asyncDispose]() {
      // Connections belong to the platform's pool.
    },
  };
}

/** A LogsData message. */
export function logsDataOf(batch: readonly SinkEvent[], serviceName: string) {
  return {
    resourceLogs: [
      {
        resource: { attributes: [attribute("service.name", serviceName)] },
        scopeLogs: [{ scope: { name: "@glovebox/auditor" }, logRecords: batch.map(recordOf) }],
      },
    ],
  };
}

function recordOf({ event, origin, index, class: kept, json }: SinkEvent) {
  const { otel, text } = severityOf(event);
  const time = `${event.time}000000`;
  const attributes = [
    ["glovebox.log.origin", origin],
    ["glovebox.log.index", index],
    ["glovebox.log.class", kept],
    ["glovebox.plugin.id", event.pluginId],
    ["glovebox.call.id", event.callId],
    ["glovebox.code", event.code],
    ["glovebox.success", event.success],
    // A pseudonym: the person's id never leaves the log in the clear.
    ["enduser.pseudo.id", event.subject],
  ] as const;
  return {
    timeUnixNano: time,
    observedTimeUnixNano: time,
    severityNumber: otel,
    severityText: text,
    eventName: `glovebox.${event.kind}`,
    body: { stringValue: json },
    attributes: attributes.flatMap(([key, value]) =>
      value === undefined ? [] : [attribute(key, value)],
    ),
    ...(event.traceId === undefined ? {} : { traceId: event.traceId }),
  };
}

function attribute(key: string, value: string | number | boolean) {
  if (typeof value === "string") return { key, value: { stringValue: value } };
  return typeof value === "number"
    ? { key, value: { intValue: String(value) } }
    : { key, value: { boolValue: value } };
}

/** The answer is a receiver's: whatever is not understood means that all was taken. */
function rejectedOf(answer: string): number {
  try {
    const { partialSuccess } = JSON.parse(answer) as {
      partialSuccess?: { rejectedLogRecords?: string | number };
    };
    const rejected = Number(partialSuccess?.rejectedLogRecords ?? 0);
    return Number.isSafeInteger(rejected) && rejected > 0 ? rejected : 0;
  } catch {
    return 0;
  }
}

async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk as Uint8Array);
    bytes += (chunk as Uint8Array).length;
    if (bytes > MAX_SINK_ANSWER_BYTES) break;
  }
  return Buffer.concat(chunks).toString();
}
