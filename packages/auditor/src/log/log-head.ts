/**
 * @module The head of a log: the index and hash of its last durable line. Kept elsewhere it is the
 * anchor with which a rolled-back or forked log is detected; a chain alone cannot show that its end
 * was cut off.
 */
import { allow, type Decision, refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";

/** Index and hash of a line. */
export interface LogHead {
  readonly index: number;
  /** SHA-256 as 64 lower-case hexadecimal digits. */
  readonly hash: string;
}

const HEAD = /^(0|[1-9]\d{0,14}):([0-9a-f]{64})\n?$/;

/** Writes a head as `index:hash`. */
export function formatHead({ index, hash }: LogHead): string {
  return `${index}:${hash}`;
}

/** Reads what {@link formatHead} wrote; one line feed at the end is taken. */
export function parseHead(raw: string): Decision<LogHead> {
  const match = HEAD.exec(raw);
  const [, index, hash] = match ?? [];
  if (index === undefined || hash === undefined) {
    const reason = `a head is index:hash; received ${received(raw)}`;
    return refuse("AUDITOR_HEAD", "audit.head", reason);
  }
  return allow("audit.head", Object.freeze({ index: Number(index), hash }));
}
