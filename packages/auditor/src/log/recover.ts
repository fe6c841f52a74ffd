/**
 * @module Finding the end of an existing log. A process that dies while it writes leaves a line
 * without its line feed; that line was never acknowledged and is cut off. A whole line that is wrong
 * is nothing that dying can make on an intact disk: such a log is left untouched and not opened.
 *
 * Only the last few megabytes are read, so that opening takes the same time for every log; the whole
 * of it is for `verifyAuditLog`.
 */
import { hash } from "node:crypto";

import { AuditorError } from "../errors.ts";
import { MAX_LINE_BYTES, RECOVERY_WINDOW_BYTES } from "../limits.ts";
import { type ChainLine, GENESIS_HASH, readLine } from "./chain-line.ts";
import type { LogFile } from "./log-file.ts";
import type { LogHead } from "./log-head.ts";

const LINE_FEED = 0x0a;

/** Bytes of a line that was never finished. */
export interface CutTail {
  readonly bytes: number;
  readonly sha256: string;
}

/** Where a log continues. */
export interface RecoveredLog {
  /** `undefined` for an empty log. */
  readonly head: LogHead | undefined;
  /** As the first line says; `undefined` for an empty log. */
  readonly origin: string | undefined;
  /** Whether the last line says that its writer closed the log. */
  readonly wasClosed: boolean;
  readonly cut: CutTail | undefined;
}

/**
 * Reads the end of a log and cuts off an unfinished line.
 *
 * @throws {@link AuditorError} (`AUDITOR_LOG_INVALID`)
 */
export async function recoverLog(file: LogFile): Promise<RecoveredLog> {
  const size = await file.size();
  const start = Math.max(0, size - RECOVERY_WINDOW_BYTES);
  const window = await file.read(start, size - start);
  const end = window.lastIndexOf(LINE_FEED) + 1;
  const tail = window.subarray(end);
  if (tail.length > MAX_LINE_BYTES) throw invalid("its end is longer than any line");
  const last = end === 0 ? undefined : checkWindow(window.subarray(0, end), start === 0);
  const origin = last === undefined ? undefined : await originOf(file, size);
  if (tail.length > 0) {
    await file.truncate(start + end);
    await file.sync();
  }
  return {
    head: last === undefined ? undefined : { index: last.index, hash: last.hash },
    origin,
    wasClosed: last !== undefined && memberOf(last.event, "kind") === "closed",
    cut: tail.length === 0 ? undefined : { bytes: tail.length, sha256: hash("sha256", tail) },
  };
}

/** Checks the chain of whole lines at the end of the log and answers the last of them. */
function checkWindow(lines: Buffer, isWhole: boolean): ChainLine {
  // A window that begins inside of the log begins inside of a line.
  let offset = isWhole ? 0 : lines.indexOf(LINE_FEED) + 1;
  let last: ChainLine | undefined;
  while (offset < lines.length) {
    const end = lines.indexOf(LINE_FEED, offset);
    const line = readLine(lines.subarray(offset, end));
    const before = last ?? (isWhole ? { index: -1, hash: GENESIS_HASH } : undefined);
    if (line === undefined) throw invalid(`the line after index ${before?.index ?? "?"} is wrong`);
    if (before !== undefined && (line.index !== before.index + 1 || line.prev !== before.hash)) {
      throw invalid(`line ${line.index} does not follow line ${before.index}`);
    }
    last = line;
    offset = end + 1;
  }
  if (last === undefined) throw invalid("no whole line was found at its end");
  return last;
}

async function originOf(file: LogFile, size: number): Promise<string> {
  const start = await file.read(0, Math.min(size, MAX_LINE_BYTES + 1));
  const first = readLine(start.subarray(0, Math.max(0, start.indexOf(LINE_FEED))));
  const origin = memberOf(memberOf(first?.event, "details"), "origin");
  if (first?.index !== 0 || typeof origin !== "string") {
    throw invalid("its first line does not say of which origin it is");
  }
  return origin;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

function invalid(problem: string): AuditorError {
  return new AuditorError("AUDITOR_LOG_INVALID", { message: `the log is not whole: ${problem}` });
}
