/**
 * @module The body of an answer that counts until it was read (threat: a caller that does not read).
 * It is handed on in pieces as the connection takes them; its bytes go back to the budget with the
 * last piece, or when the connection is gone.
 */
import { ANSWER_PIECE_BYTES } from "../limits.ts";
import type { ByteBudget } from "./byte-budget.ts";

/** A response with these bytes, or `undefined` where the budget does not have them. */
export function heldResponse(
  bytes: Uint8Array<ArrayBuffer>,
  headers: Readonly<Record<string, string>>,
  budget: ByteBudget,
): Response | undefined {
  const { length } = bytes;
  if (!budget.take(length)) return undefined;
  const init = { headers: { ...headers, "content-length": String(length) } };
  if (length === 0) return new Response(bytes, init);
  let sent = 0;
  const source = {
    pull(controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>): void {
      controller.enqueue(bytes.subarray(sent, sent + ANSWER_PIECE_BYTES));
      sent += ANSWER_PIECE_BYTES;
      if (sent < length) return;
      controller.close();
      budget.give(length);
    },
    cancel(): void {
      // A stream that was closed but not read to its end is not cancelled: nothing is given twice.
      budget.give(length);
    },
  };
  // Nothing is taken before somebody reads.
  return new Response(new ReadableStream(source, { highWaterMark: 0 }), init);
}
