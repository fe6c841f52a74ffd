/** @module Bodies are bounded, each and all together. */
import { expect, test } from "vitest";

import { createByteBudget } from "../../src/http/byte-budget.ts";
import { readBody } from "../../src/http/read-body.ts";
import "@glovebox/testkit/matchers";

function request(pieces: readonly number[], headers: Record<string, string> = {}): Request {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const size of pieces) controller.enqueue(new Uint8Array(size));
      controller.close();
    },
  });
  const init = { method: "POST", body, headers, duplex: "half" as const };
  return new Request("http://127.0.0.1/", init);
}

test("a body within its bound is read whole, and its bytes are given back", async () => {
  const budget = createByteBudget(10);
  const read = await readBody(request([4, 6]), 10, budget);
  if (!read.allowed) throw new Error(read.reason);
  expect(read.value.bytes).toHaveLength(10);
  expect(budget.take(1)).toBe(false);
  read.value[Symbol.dispose]();
  expect(budget.take(10)).toBe(true);
});

test("a body that grows beyond its bound is refused, whatever its length was said to be", async () => {
  const budget = createByteBudget(100);
  expect(await readBody(request([4, 7], { "content-length": "4" }), 10, budget)).toRefuse(
    "HOST_BODY_SIZE",
  );
  expect(budget.take(100)).toBe(true);
});

test("a body that is said to be too long is refused unread", async () => {
  const budget = createByteBudget(0);
  expect(await readBody(request([1], { "content-length": "11" }), 10, budget)).toRefuse(
    "HOST_BODY_SIZE",
  );
});

test("many bodies together are bounded", async () => {
  const budget = createByteBudget(15);
  const first = await readBody(request([10]), 10, budget);
  expect(first.allowed).toBe(true);
  expect(await readBody(request([4, 6]), 10, budget)).toRefuse("HOST_BUSY");
  expect(budget.take(5)).toBe(true);
});

test("a connection that breaks gives its bytes back", async () => {
  const budget = createByteBudget(10);
  let sent = false;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sent) throw new Error("reset");
      sent = true;
      controller.enqueue(new Uint8Array(10));
    },
  });
  const init = { method: "POST", body, duplex: "half" as const };
  expect(await readBody(new Request("http://127.0.0.1/", init), 10, budget)).toRefuse("HOST_BODY");
  expect(budget.take(10)).toBe(true);
});
