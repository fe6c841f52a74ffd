/**
 * @module Verifying a log: every line's hash, every link of the chain, every index, in one pass and
 * with constant memory. A chain shows that nothing inside was changed; that its end was not cut off,
 * or all of it rewritten, shows only against an anchor, a head that was kept elsewhere.
 */
import { lstat } from "node:fs/promises";
import { join, resolve } from "node:path";

import { AuditorError } from "./errors.ts";
import { MAX_LINE_BYTES, READ_CHUNK_BYTES } from "./limits.ts";
import { GENESIS_HASH, readLine } from "./log/chain-line.ts";
import { LOG_FILE, openForReading } from "./log/log-file.ts";
import { type LogHead, parseHead } from "./log/log-head.ts";

/**
 * What is wrong: a line that is not as it was written (`INVALID`), lines that are gone (`MISSING`),
 * a log that ends before the anchor (`ROLLBACK`), or another history than the anchor's (`DIVERGED`).
 */
export type AuditProblem = "INVALID" | "MISSING" | "ROLLBACK" | "DIVERGED";

/** How a verification is made. */
export interface VerifyOptions {
  /** The anchor: a head that was kept elsewhere, or its text. Default: none. */
  readonly since?: LogHead | string;
}

/** What a verification found. */
export interface VerifyReport {
  /** Whether no problem was found. */
  readonly ok: boolean;
  /** Whether the anchor was found in the log; without one, freshness was not checked. */
  readonly fresh: boolean;
  /** Whole lines before the first bad one. */
  readonly size: number;
  /** Index of the first line that is wrong or gone; `null` if there is none. */
  readonly firstBadIndex: number | null;
  readonly kind: AuditProblem | null;
  /** Head of what was found whole: the next anchor. `null` for an empty log. */
  readonly head: LogHead | null;
  /**
   * Bytes after the last line feed: a line that is being written now, or whose writer died. It was
   * never acknowledged, and the next writer cuts it off and says so in the log.
   */
  readonly unfinishedBytes: number;
}

/** State of the walk along the chain. */
interface Walk {
  size: number;
  head: LogHead | undefined;
  /** Hash at the anchor's index, once met. */
  atAnchor: string | undefined;
  unfinishedBytes: number;
}

/**
 * Verifies the log in a directory; may run while it is written to.
 *
 * @throws {@link AuditorError} (`AUDITOR_HEAD`) if the anchor's text is none; (`AUDITOR_DIRECTORY`)
 *   if there is no directory, or the log is a link, a FIFO or writable by others.
 */
export async function verifyAuditLog(
  directory: string,
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  const anchor = anchorOf(options.since);
  const path = resolve(directory);
  const stats = await lstat(path).catch(() => undefined);
  if (stats?.isDirectory() !== true) {
    throw new AuditorError("AUDITOR_DIRECTORY", { message: `${path} is not a directory` });
  }
  const walk: Walk = { size: 0, head: undefined, atAnchor: undefined, unfinishedBytes: 0 };
  const handle = await openForReading(join(path, LOG_FILE));
  if (handle === undefined) return report(walk, "MISSING", anchor);
  try {
    return report(walk, await walkChain(walk, handle, anchor), anchor);
  } finally {
    await handle.close();
  }
}

async function walkChain(
  walk: Walk,
  handle: NonNullable<Awaited<ReturnType<typeof openForReading>>>,
  anchor: LogHead | undefined,
): Promise<AuditProblem | undefined> {
  const buffer = Buffer.allocUnsafe(READ_CHUNK_BYTES + MAX_LINE_BYTES + 1);
  let kept = 0;
  for (;;) {
    const { bytesRead } = await handle.read(buffer, kept, READ_CHUNK_BYTES, null);
    if (bytesRead === 0) break;
    const filled = buffer.subarray(0, kept + bytesRead);
    let offset = 0;
    for (;;) {
      const end = filled.indexOf(0x0a, offset);
      if (end === -1) break;
      const problem = step(walk, filled.subarray(offset, end), anchor);
      if (problem !== undefined) return problem;
      offset = end + 1;
    }
    kept = filled.length - offset;
    // The end of the file may be far: what is longer than any line is wrong whatever follows.
    if (kept > MAX_LINE_BYTES) return "INVALID";
    buffer.copyWithin(0, offset, filled.length);
  }
  walk.unfinishedBytes = kept;
  // A log is open only once its first line is durable, so that an empty one has lost it.
  return walk.size === 0 ? "MISSING" : undefined;
}

function step(walk: Walk, bytes: Buffer, anchor: LogHead | undefined): AuditProblem | undefined {
  const line = readLine(bytes);
  if (line === undefined || line.index < walk.size) return "INVALID";
  // The line is as it was written, but later ones of its kind should come before it.
  if (line.index > walk.size) return "MISSING";
  if (line.prev !== (walk.head?.hash ?? GENESIS_HASH)) return "INVALID";
  walk.size += 1;
  walk.head = { index: line.index, hash: line.hash };
  if (line.index === anchor?.index) walk.atAnchor = line.hash;
  return undefined;
}

function report(
  walk: Walk,
  problem: AuditProblem | undefined,
  anchor: LogHead | undefined,
): VerifyReport {
  const { size, head, atAnchor, unfinishedBytes } = walk;
  const diverged = anchor !== undefined && atAnchor !== undefined && atAnchor !== anchor.hash;
  const rolledBack = anchor !== undefined && atAnchor === undefined;
  // What comes first is named: an anchor was met before a bad line, or is not met because of it.
  const kind = diverged ? "DIVERGED" : (problem ?? (rolledBack ? "ROLLBACK" : null));
  const firstBadIndex = kind === null ? null : kind === "DIVERGED" ? (anchor?.index ?? size) : size;
  return Object.freeze({
    ok: kind === null,
    fresh: kind === null && anchor !== undefined,
    size,
    firstBadIndex,
    kind,
    head: head === undefined ? null : Object.freeze(head),
    unfinishedBytes,
  });
}

function anchorOf(since: LogHead | string | undefined): LogHead | undefined {
  if (since === undefined) return undefined;
  const text = typeof since === "string" ? since : `${since.index}:${since.hash}`;
  const head = parseHead(text);
  if (!head.allowed) throw new AuditorError("AUDITOR_HEAD", { message: head.reason });
  return head.value;
}
