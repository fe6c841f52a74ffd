/**
 * @module JSON lines: one event a line, into a file or any other stream. JSON in a log keeps C1
 * controls, U+2028 and bidirectional controls as they are (RFC 8785); a line is for terminals and
 * editors, too, so that here they are escaped, which leaves the same JSON value.
 */
import { once } from "node:events";
import type { Writable } from "node:stream";

import type { Sink, SinkEvent } from "./sink.ts";

/** How each line looks. */
export interface JsonLinesOptions {
  /** Names the sink in the log, and its position. Default: that of the protocol. */
  readonly name?: string;
  /** Where lines go. The sink ends it when it is disposed of. */
  readonly stream: Writable;
  /** Makes the value of a line. Default: `{origin, class, index, event}`. */
  readonly map?: (event: SinkEvent) => unknown;
}

/** Legal in JSON text only within strings, so that each can become an escape there. */
const UNSAFE_IN_LINE = /[\u007f-\u009f\p{Zl}\p{Zp}\p{Bidi_Control}\ufeff]/gu;

/** Writes events as lines. */
export function createJsonLinesSink({ name = "json-lines", stream, map }: JsonLinesOptions): Sink {
  let failure: unknown;
  stream.on("error", (error) => (failure = error));
  return {
    name,
    async send(batch, signal) {
      if (failure !== undefined) throw failure;
      const text = batch.map((event) => `${lineOf(event, map)}\n`).join("");
      if (!stream.write(text)) await once(stream, "drain", { signal });
      return { rejected: 0 };
    },
    async [Symbol.asyncDispose]() {
      if (stream.destroyed || failure !== undefined) return;
      await new Promise<void>((resolve) => stream.end(() => resolve()));
    },
  };
}

function lineOf(event: SinkEvent, map: JsonLinesOptions["map"]): string {
  const { origin, class: kept, index, json } = event;
  const text =
    map === undefined
      ? `{"class":"${kept}","event":${json},"index":${index},"origin":${JSON.stringify(origin)}}`
      : JSON.stringify(map(event));
  return escapeLine(text);
}

/** The same JSON without a character that acts on who reads it. */
export function escapeLine(json: string): string {
  return json.replace(
    UNSAFE_IN_LINE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
