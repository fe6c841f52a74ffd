import { assembleWat } from "@glovebox/testkit";
import "@glovebox/testkit/matchers";
import { expect, test } from "vitest";

import { engine } from "./engine.ts";

const ANSWER = `(module (func (export "answer") (result i32) i32.const 42))`;

test("assembles text to a module that the engine runs", async () => {
  const { instance } = await engine.instantiate(await assembleWat(ANSWER));
  expect((instance.exports["answer"] as () => number)()).toBe(42);
});

test("a caller who changes its bytes does not change the next caller's", async () => {
  const mine = await assembleWat(ANSWER);
  mine.fill(0);
  expect(engine.validate(await assembleWat(ANSWER))).toBe(true);
});

test("bytes handed out earlier survive the assembly of other modules", async () => {
  const first = await assembleWat(ANSWER);
  const before = Buffer.from(first).toString("hex");
  await assembleWat(`(module (memory 1) (data (i32.const 0) "${"x".repeat(5000)}"))`);
  expect(Buffer.from(first).toString("hex")).toBe(before);
});

test("says where the text does not parse", async () => {
  await expect(assembleWat("(module\n  (func nonsense))")).toThrowCode("TESTKIT_WAT");
  await expect(assembleWat("(module\n  (func nonsense))")).rejects.toThrow(/fixture\.wat:2:/);
});

test("refuses an invalid module unless it is invalid on purpose", async () => {
  const invalid = "(module (func (result i32)))";
  await expect(assembleWat(invalid)).toThrowCode("TESTKIT_WAT");
  const bytes = await assembleWat(invalid, { validate: false });
  expect(engine.validate(bytes)).toBe(false);
});

test("a proposal is part of the text only when it is asked for", async () => {
  const tailCall = "(module (func $f return_call $f))";
  await expect(assembleWat(tailCall, { tail_call: false })).toThrowCode("TESTKIT_WAT");
  expect(await assembleWat(tailCall, { tail_call: true })).toBeInstanceOf(Uint8Array);
});

test("goes on assembling when more modules came than it keeps", async () => {
  for (let index = 0; index < 300; index += 1) {
    await assembleWat(`(module (global i32 (i32.const ${index})))`);
  }
  expect(await assembleWat(ANSWER)).toBeInstanceOf(Uint8Array);
});
