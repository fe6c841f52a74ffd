/**
 * @module One line of the log, and the chain. A line is canonical JSON (RFC 8785):
 * `{"event":{…},"hash":"…","index":N,"prev":"…","time":MS}`. `hash` is the SHA-256 of the line
 * without its `hash` member and its line feed; `prev` is the hash of the line before. Whoever knows
 * one hash can so tell whether any earlier line was changed.
 */
import { isUtf8 } from "node:buffer";
import { hash } from "node:crypto";

import { MAX_LINE_BYTES } from "../limits.ts";

/** `prev` of the first line; names the format, so that another format is another chain. */
export const GENESIS_HASH: string = hash("sha256", "glovebox audit log, format 1");

const PREFIX = '{"event":';
const PREFIX_BYTES: number = PREFIX.length;
/** `,"hash":"` + 64 digits + `"` */
const HASH_MEMBER_BYTES = 74;
/** The members after the event are of bounded length, and so are found from the line's end. */
const SUFFIX =
  /,"hash":"([0-9a-f]{64})"(,"index":(0|[1-9]\d{0,15}),"prev":"([0-9a-f]{64})","time":(?:0|[1-9]\d{0,15})\})$/;
const MAX_SUFFIX_BYTES = 260;

/** A line to be written. */
export interface WrittenLine {
  /** With its line feed. */
  readonly text: string;
  readonly hash: string;
}

/** A line whose hash fits its bytes. */
export interface ChainLine {
  readonly index: number;
  readonly prev: string;
  readonly hash: string;
  readonly event: unknown;
}

/** Writes a line around an event that is already canonical JSON. */
export function writeLine(
  eventJson: string,
  index: number,
  prev: string,
  timeMs: number,
): WrittenLine {
  const head = PREFIX + eventJson;
  const tail = `,"index":${index},"prev":"${prev}","time":${timeMs}}`;
  const digest = hash("sha256", head + tail);
  return { text: `${head},"hash":"${digest}"${tail}\n`, hash: digest };
}

/**
 * Reads a line without its line feed; `undefined` if it is not one that was written here. All of it
 * is attacker-controlled: an event may look like the members that follow it, so that those are taken
 * from the end, and the event must be JSON by itself.
 */
export function readLine(bytes: Buffer): ChainLine | undefined {
  if (bytes.length > MAX_LINE_BYTES || !isUtf8(bytes)) return undefined;
  const end = bytes.toString("latin1", Math.max(0, bytes.length - MAX_SUFFIX_BYTES));
  const match = SUFFIX.exec(end);
  if (match === null) return undefined;
  const [suffix, found = "", tail = "", rawIndex = "", prev = ""] = match;
  const eventEnd = bytes.length - suffix.length;
  if (bytes.toString("latin1", 0, PREFIX_BYTES) !== PREFIX) return undefined;
  if (suffix.length - tail.length !== HASH_MEMBER_BYTES) return undefined;
  const hashed = Buffer.concat([bytes.subarray(0, eventEnd), Buffer.from(tail, "latin1")]);
  if (hash("sha256", hashed) !== found) return undefined;
  const event = parseEvent(bytes.toString("utf8", PREFIX_BYTES, eventEnd));
  return event === undefined ? undefined : { index: Number(rawIndex), prev, hash: found, event };
}

function parseEvent(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
