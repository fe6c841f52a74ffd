/**
 * @module Which events of a log are older than their class is kept. Only whole bundles of 256 go, and
 * only from the beginning, for that leaves every proof as it was (C2SP tlog-tiles, "Pruning").
 */
import { readEvent } from "../event/read-event.ts";
import type { AuditLog } from "../log/log.ts";
import { SEGMENT_EVENTS } from "../query/segment-summary.ts";

/**
 * The index below which every event was recorded before a time. A bundle stays if one of its events
 * is younger, if a clock was set back among them, or if one cannot be read: who can say how old it is?
 */
export async function findPruneIndex(
  log: Pick<AuditLog, "state" | "read">,
  beforeMs: number,
): Promise<number> {
  let { minimumIndex } = log.state();
  for await (const { index, bytes } of log.read()) {
    const event = readEvent(bytes);
    if (!event.allowed || event.value.time >= beforeMs) break;
    if ((index + 1) % SEGMENT_EVENTS === 0) minimumIndex = index + 1;
  }
  return minimumIndex;
}
