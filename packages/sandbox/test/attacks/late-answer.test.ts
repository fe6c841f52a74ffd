/**
 * A host function answers after its call was killed, or two calls wait for host functions at once. In
 * Extism's SDK the next caller gets the previous caller's answer, and concurrent callers each other's
 * (CWE-362). Here an answer that is late goes nowhere, and each caller gets its own.
 */
import { allow } from "@glovebox/core/decision";
import { memoryHostServices } from "@glovebox/testkit";
import { expect, it } from "vitest";

import { codeOf, openPlugin, textOf } from "../support/open-plugin.ts";

/** Gives its input to the host function, and answers what that answers. */
const ASKING = `(module
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (import "extism:host/env" "input_load_u8" (func $input_load (param i64) (result i32)))
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store (param i64 i32)))
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/env" "output_set" (func $output (param i64 i64)))
  (import "extism:host/user" "ask" (func $ask (param i64) (result i64)))
  (func (export "run") (local $question i64) (local $answer i64) (local $at i64)
    (local.set $question (call $alloc (call $input_length)))
    (loop $copy
      (call $store (i64.add (local.get $question) (local.get $at)) (call $input_load (local.get $at)))
      (br_if $copy (i64.lt_u (local.tee $at (i64.add (local.get $at) (i64.const 1))) (call $input_length))))
    (local.set $answer (call $ask (local.get $question)))
    (call $output (local.get $answer) (call $length (local.get $answer)))))`;

/** A host function whose answers come when the test says so. */
function slowFunction() {
  const waiting = new Map<string, (answer: string) => void>();
  const signals: AbortSignal[] = [];
  const services = memoryHostServices({
    functions: new Map([
      [
        "ask",
        {
          parameters: ["bytes"],
          result: "bytes",
          async call({ signal }, [question]) {
            signals.push(signal);
            const name = Buffer.from(question as Uint8Array).toString();
            const answer = await new Promise<string>((resolve) => waiting.set(name, resolve));
            return allow("test", new TextEncoder().encode(answer));
          },
        },
      ],
    ]),
  });
  const answer = async (name: string): Promise<void> => {
    await expect.poll(() => waiting.has(name), { timeout: 15_000 }).toBe(true);
    waiting.get(name)?.(`answer for ${name}`);
  };
  return { services, answer, signals };
}

it("an answer after the deadline reaches nobody, and its scope is aborted", async () => {
  const { services, answer, signals } = slowFunction();
  await using open = await openPlugin(ASKING, { abi: "extism", services, limits: { wallMs: 300 } });
  expect(codeOf(await open.call("run", "alice"))).toBe("SANDBOX_WALL_LIMIT");
  expect(signals[0]?.aborted).toBe(true);
  const bob = open.call("run", "bob");
  await answer("alice");
  await answer("bob");
  expect(textOf(await bob)).toBe("answer for bob");
});

it("calls of several tenants that wait at once each get their own answer, in any order", async () => {
  const { services, answer } = slowFunction();
  await using open = await openPlugin(ASKING, { abi: "extism", services });
  const names = ["alice", "bob", "carol"];
  const calls = names.map((name) => open.call("run", name, name));
  for (const name of names.toReversed()) await answer(name);
  const texts = await Promise.all(calls.map(async (call) => textOf(await call)));
  expect(texts).toEqual(names.map((name) => `answer for ${name}`));
});

it("calls of one tenant that wait in line each get their own answer", async () => {
  const { services, answer } = slowFunction();
  await using open = await openPlugin(ASKING, { abi: "extism", services });
  const calls = ["one", "two"].map((name) => open.call("run", name));
  await answer("one");
  await answer("two");
  expect(textOf(await calls[0]!)).toBe("answer for one");
  expect(textOf(await calls[1]!)).toBe("answer for two");
});
