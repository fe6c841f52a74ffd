/**
 * @module The digest of something large, without holding up what else the thread has to do: hashing 14 MB
 * in one go takes 10 ms, in which no call is answered.
 */
import { createHash } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";

import type { Sha256 } from "./ids.ts";

/** What is hashed in one turn of the event loop, bytes: about 0.7 ms. */
const TURN_BYTES = 1024 * 1024;

/** SHA-256 of bytes that must not change meanwhile, at most a mebibyte of them in a turn of the event loop. */
export async function sha256InTurns(bytes: Uint8Array): Promise<Sha256> {
  const digest = createHash("sha256");
  for (let at = 0; at < bytes.length; at += TURN_BYTES) {
    if (at > 0) await nextTurn();
    digest.update(bytes.subarray(at, at + TURN_BYTES));
  }
  // 32 bytes in hexadecimal are what the type says.
  return digest.digest("hex") as Sha256;
}
