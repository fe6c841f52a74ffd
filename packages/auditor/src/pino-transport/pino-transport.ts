/**
 * @module A pino transport that keeps the host's operational log in the same kind of hash-chained
 * file as the audit log. pino runs transports in a worker thread, which cannot share an open log, so
 * that this one opens a directory and an origin of its own. Lines are text from anywhere: what cannot
 * be kept as JSON is kept as text, and what is too large as its digest.
 */
import { hash } from "node:crypto";
import type { Transform } from "node:stream";

import { parseBoundedJson, type JsonValue } from "@glovebox/core/json";
import build from "pino-abstract-transport";

import { type Auditor, openAuditor } from "../auditor.ts";
import { AuditorError } from "../errors.ts";

/** Where operational logs go. */
export interface PinoTransportOptions {
  /** A directory for operational logs alone; it cannot be that of an audit log. */
  readonly directory: string;
  /** As for `openAuditor`. */
  readonly origin?: string;
}

/**
 * Opens the log and answers the stream that pino writes to. When the stream ends, everything is
 * durable and the log is closed; when the log fails, the stream is destroyed with the error.
 *
 * @example
 * ```ts
 * const target = "@glovebox/auditor/pino-transport";
 * const logger = pino(pino.transport({ target, options: { directory: "/var/log/host" } }));
 * ```
 */
export async function pinoTransport(options: PinoTransportOptions): Promise<Transform> {
  const auditor = await openAuditor({
    directory: options.directory,
    ...(options.origin === undefined ? {} : { origin: options.origin }),
    classes: ["operations"],
    // Lines have no persons of their own, and a disk for the audit log is kept free by that one.
    personalData: "clear",
    diskReserveBytes: 0,
  });
  return build(
    async (source) => {
      for await (const { line } of source as AsyncIterable<{ readonly line: string }>) {
        await keep(auditor, line);
      }
    },
    {
      parseLine: (line) => ({ line }),
      async close(error) {
        await auditor.close();
        // The stream forgets why it was destroyed unless it is told again.
        if (error !== null && error !== undefined) throw error;
      },
      metadata: false,
    },
  );
}

/** Records a line; a full queue holds the stream back, anything else ends it. */
async function keep(auditor: Auditor, line: string): Promise<void> {
  const forms = [detailsOf(line), textOf(line), digestOf(line)];
  for (const details of forms) {
    let decision = auditor.record({}, { kind: "log", success: true, details });
    if (!decision.allowed && decision.code === "AUDITOR_QUEUE_FULL") {
      await auditor.flush();
      decision = auditor.record({}, { kind: "log", success: true, details });
    }
    if (decision.allowed) return;
    const { code, reason } = decision;
    if (code !== "AUDITOR_EVENT_SIZE" && code !== "AUDITOR_EVENT_INVALID") {
      throw new AuditorError("AUDITOR_POISONED", {
        message: `a log line was lost: ${code}: ${reason}`,
      });
    }
  }
}

function detailsOf(line: string): Readonly<Record<string, JsonValue>> {
  const parsed = parseBoundedJson(line);
  return parsed.allowed ? { line: parsed.value } : textOf(line);
}

function textOf(line: string): Readonly<Record<string, JsonValue>> {
  return { text: line.toWellFormed() };
}

function digestOf(line: string): Readonly<Record<string, JsonValue>> {
  return { bytes: Buffer.byteLength(line), sha256: hash("sha256", line) };
}
