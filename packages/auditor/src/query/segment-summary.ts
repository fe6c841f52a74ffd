/**
 * @module What is remembered of a bundle of 256 events, so that a query can pass it by: times, kinds,
 * decisions, and a Bloom filter of the plugins, actors and codes in it. 256 bytes for each, so that
 * ten million events take ten megabytes and a query without a match reads nothing else.
 *
 * A summary may say "perhaps" of what is not there, and never "no" of what is.
 */
import { hash } from "node:crypto";
import { crc32 } from "node:zlib";

import { EVENT_KINDS } from "../event/event-kinds.ts";
import type { LoggedEvent } from "../event/event-members.ts";
import { actorsOf, type EventFilter } from "./event-filter.ts";

/** Events of a segment: those of a bundle of C2SP tlog-tiles. */
export const SEGMENT_EVENTS = 256;

/** Bytes of a summary. */
export const SUMMARY_BYTES = 256;

/** Layout: min time f64, max time f64, kinds u64, decisions u8, 3 unused, Bloom filter, CRC-32. */
const KINDS_AT = 16;
const DECISIONS_AT = 24;
const BLOOM_AT = 28;
const CRC_AT = 252;
const BLOOM_BITS = (CRC_AT - BLOOM_AT) * 8;
/** With 256 actors, and a few plugins and codes: one in 25 is a false "perhaps". */
const BLOOM_HASHES = 4;
const ALLOWED = 1;
const REFUSED = 2;

const KIND_NAMES: readonly string[] = Object.keys(EVENT_KINDS).sort();
const KIND_BIT: ReadonlyMap<string, bigint> = new Map(
  KIND_NAMES.map((name, bit) => [name, 1n << BigInt(bit)]),
);

/** Names the layout and the kinds: an index of another one is built anew. */
export const SUMMARY_FORMAT: string = hash(
  "sha256",
  `glovebox audit index 1\n${KIND_NAMES.join("\n")}`,
);

/** Summarises a whole segment; `undefined` stands for an entry that is no event. */
export function summarise(segment: number, events: readonly (LoggedEvent | undefined)[]): Buffer {
  const summary = Buffer.alloc(SUMMARY_BYTES);
  const tokens = new Set<string>();
  let [min, max, kinds, decisions] = [Infinity, -Infinity, 0n, 0];
  for (const event of events) {
    if (event === undefined) continue;
    min = Math.min(min, event.time);
    max = Math.max(max, event.time);
    kinds |= KIND_BIT.get(event.kind) ?? 0n;
    decisions |= event.success ? ALLOWED : REFUSED;
    for (const token of tokensOf(event)) tokens.add(token);
  }
  summary.writeDoubleLE(min, 0);
  summary.writeDoubleLE(max, 8);
  summary.writeBigUInt64LE(kinds, KINDS_AT);
  summary.writeUInt8(decisions, DECISIONS_AT);
  for (const token of tokens) {
    for (const bit of bitsOf(token)) {
      const at = BLOOM_AT + (bit >> 3);
      summary.writeUInt8(summary.readUInt8(at) | (1 << (bit & 7)), at);
    }
  }
  summary.writeUInt32LE(checksumOf(segment, summary), CRC_AT);
  return summary;
}

/** Whether a summary is whole, and that of this segment. */
export function isSummaryOf(segment: number, summary: Buffer): boolean {
  return (
    summary.length === SUMMARY_BYTES &&
    summary.readUInt32LE(CRC_AT) === checksumOf(segment, summary)
  );
}

/** Whether a segment may hold what is looked for. */
export function mayHold(filter: EventFilter, summary: Buffer): boolean {
  const { sinceMs, untilMs, pluginId, kind, actor, decision, code } = filter;
  if (sinceMs !== undefined && summary.readDoubleLE(8) < sinceMs) return false;
  if (untilMs !== undefined && summary.readDoubleLE(0) >= untilMs) return false;
  if (
    kind !== undefined &&
    (summary.readBigUInt64LE(KINDS_AT) & (KIND_BIT.get(kind) ?? 0n)) === 0n
  ) {
    return false;
  }
  const wanted =
    decision === undefined ? ALLOWED | REFUSED : decision === "allowed" ? ALLOWED : REFUSED;
  if ((summary.readUInt8(DECISIONS_AT) & wanted) === 0) return false;
  const tokens = [
    pluginId === undefined ? undefined : `plugin ${pluginId}`,
    actor === undefined ? undefined : `actor ${actor}`,
    code === undefined ? undefined : `code ${code}`,
  ];
  return tokens.every((token) => token === undefined || hasToken(summary, token));
}

function hasToken(summary: Buffer, token: string): boolean {
  return bitsOf(token).every(
    (bit) => (summary.readUInt8(BLOOM_AT + (bit >> 3)) & (1 << (bit & 7))) !== 0,
  );
}

function tokensOf(event: LoggedEvent): readonly string[] {
  const { pluginId, code } = event;
  return [
    ...(pluginId === undefined ? [] : [`plugin ${pluginId}`]),
    ...(code === undefined ? [] : [`code ${code}`]),
    ...actorsOf(event).map((actor) => `actor ${actor}`),
  ];
}

function bitsOf(token: string): readonly number[] {
  const digest = hash("sha256", token, "buffer");
  return Array.from({ length: BLOOM_HASHES }, (_, n) => digest.readUInt32LE(n * 4) % BLOOM_BITS);
}

/** A summary at another place is as wrong as a changed one. */
function checksumOf(segment: number, summary: Buffer): number {
  return crc32(summary.subarray(0, CRC_AT), segment >>> 0);
}
