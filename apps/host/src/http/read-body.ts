/**
 * @module Reads a request's body, bounded twice: each body on its own, and all that are held at once,
 * so that neither one caller nor many can fill the host's memory. Sizes count as bytes arrive;
 * `Content-Length` is attacker-controlled and can only refuse early.
 */
import { allow, type Decision, refuse } from "@glovebox/core/decision";

import type { ByteBudget } from "./byte-budget.ts";

/** The rule of a body whose connection broke; nobody is left to read the refusal. */
export const BROKEN_BODY_RULE = "http.broken-body";

/** A body; the budget gets its bytes back when it is disposed. */
export interface HeldBody extends Disposable {
  readonly bytes: Uint8Array;
}

/** Reads the whole body. */
export async function readBody(
  request: Request,
  maxBytes: number,
  budget: ByteBudget,
): Promise<Decision<HeldBody>> {
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) return tooLarge(maxBytes);
  const pieces: Uint8Array[] = [];
  let size = 0;
  let refusal: Decision<never> | undefined;
  try {
    const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = request.body?.getReader();
    for (;;) {
      const next = await reader?.read();
      if (next === undefined || next.done) break;
      const { length } = next.value;
      if (size + length > maxBytes) refusal = tooLarge(maxBytes);
      else if (!budget.take(length))
        refusal = refuse("HOST_BUSY", "http.held-bodies", "too many bytes are held");
      if (refusal !== undefined) {
        await reader?.cancel().catch(() => undefined);
        break;
      }
      size += length;
      pieces.push(next.value);
    }
  } catch {
    // The caller went away, or took too long: its own doing, and no failure of the host.
    refusal = refuse("HOST_BODY", BROKEN_BODY_RULE, "the body did not arrive whole");
  }
  if (refusal !== undefined) {
    budget.give(size);
    return refusal;
  }
  const [only] = pieces;
  const bytes = pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces, size);
  return allow("http.body", { bytes, [Symbol.dispose]: () => budget.give(size) });
}

function tooLarge(maxBytes: number): Decision<never> {
  return refuse("HOST_BODY_SIZE", "http.body-size", `a body has at most ${maxBytes} bytes`);
}
