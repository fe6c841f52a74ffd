/** @module Events into the host's own logger, shaped as pino's: for who reads one stream of logs. */
import { encodeLogLine } from "@glovebox/core/encode";

import { severityOf } from "./severity.ts";
import type { Sink } from "./sink.ts";

/** What is needed of a logger. */
export interface EventLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Logs each event at a level that follows from its kind. */
export function createLoggerSink({
  logger,
  name = "logger",
}: {
  readonly logger: EventLogger;
  readonly name?: string;
}): Sink {
  return {
    name,
    async send(batch) {
      for (const { event, origin, index, class: kept } of batch) {
        const { otel } = severityOf(event);
        const level = otel >= 17 ? "error" : otel >= 13 ? "warn" : "info";
        const shown = visible({ origin, index, class: kept, ...event });
        logger[level]({ audit: shown }, `audit ${event.kind}`);
      }
      return { rejected: 0 };
    },
    async [Symbol.asyncDispose]() {
      // The logger is its owner's.
    },
  };
}

/**
 * The same with every text visible, names too: a logger escapes what JSON wants escaped, which a
 * terminal is not content with. An event's nesting was bounded when it was read.
 */
function visible(value: unknown): unknown {
  if (typeof value === "string") return encodeLogLine(value);
  if (Array.isArray(value)) return value.map(visible);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [encodeLogLine(name), visible(member)]),
  );
}
