/** @module Which frames may come from a runner now, and how large they may be (invariant I3). */
import { MAX_CONTROL_BYTES, MAX_HOST_CALL_BYTES, MAX_PLUGIN_ERROR_CHARACTERS } from "../limits.ts";
import { FRAME } from "../protocol/frame-table.ts";
import type { Exchange } from "./exchange.ts";

/** JSON of a failure: its text, of which a character takes at most six bytes, and a little around it. */
const MAX_FAILURE_BYTES = 8 * MAX_PLUGIN_ERROR_CHARACTERS;

/** Most bytes of a message of this type while a command runs; `undefined` = not expected. */
export function acceptedBytes(type: number, running: Exchange): number | undefined {
  switch (type) {
    case FRAME.FAILURE:
      return MAX_FAILURE_BYTES;
    case FRAME.REPLY:
      return running.type === FRAME.CALL ? running.limits.answerBytes : undefined;
    case FRAME.DONE:
      return running.type === FRAME.CALL ? undefined : MAX_CONTROL_BYTES;
    case FRAME.HOST_CALL:
      return running.host === undefined ? undefined : MAX_HOST_CALL_BYTES;
    case FRAME.CHUNK:
      return Math.max(
        running.limits.answerBytes,
        running.host === undefined ? 0 : MAX_HOST_CALL_BYTES,
      );
    default:
      return undefined;
  }
}
