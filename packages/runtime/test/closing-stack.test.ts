import { expect, test } from "vitest";

import { ClosingStack } from "../src/closing-stack.ts";

test("closes in reverse order, waits for each, and only once", async () => {
  const order: string[] = [];
  const stack = new ClosingStack();
  stack.use({ [Symbol.dispose]: () => void order.push("first opened") });
  stack.use({
    async [Symbol.asyncDispose]() {
      await Promise.resolve();
      order.push("second opened");
    },
  });
  stack.defer(() => order.push("third opened"));
  await stack.close();
  await stack.close();
  expect(order).toEqual(["third opened", "second opened", "first opened"]);
});

test("closes the rest when one fails, and tells of the failure", async () => {
  let closed = false;
  const stack = new ClosingStack();
  stack.defer(() => (closed = true));
  stack.defer(() => Promise.reject(new Error("it hung")));
  await expect(stack.close()).rejects.toThrow("it hung");
  expect(closed).toBe(true);
});

test("what was moved is closed by its new owner alone", async () => {
  let closings = 0;
  let kept: ClosingStack;
  {
    await using stack = new ClosingStack();
    stack.defer(() => (closings += 1));
    kept = stack.move();
  }
  expect(closings).toBe(0);
  await kept.close();
  expect(closings).toBe(1);
});
