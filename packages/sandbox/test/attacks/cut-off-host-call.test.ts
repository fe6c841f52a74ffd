/**
 * A plugin calls its host with so little stack left that the runner's own code runs out of it between
 * question and answer (CWE-674). The answer is still to come: it must not be taken for the one that
 * the next call waits for, perhaps another tenant's (CWE-362). Where exactly the stack ends depends
 * on the engine, so that here a read is made to fail once, when the answer has arrived.
 */
import { allow } from "@glovebox/core/decision";
import { assembleWat, callScope, memoryHostServices } from "@glovebox/testkit";
import { describe, expect, it } from "vitest";

import { program } from "../support/hostile-runner.ts";
import { codeOf, openPlugin } from "../support/open-plugin.ts";

/** The first read for an answer finds it, and has no stack to hand it on. */
const CUT_OFF = `
  const fs = require("node:fs");
  const { readSync, writeSync } = fs;
  let cut = "not yet", kept;
  fs.writeSync = (descriptor, bytes, ...rest) => {
    if (bytes[5] === 36 && cut === "not yet") cut = "now";
    return writeSync(descriptor, bytes, ...rest);
  };
  fs.readSync = (descriptor, bytes, offset, ...rest) => {
    if (cut === "now") {
      kept = Buffer.alloc(4_096);
      kept = kept.subarray(0, readSync(descriptor, kept));
      cut = "done";
      throw new RangeError("Maximum call stack size exceeded");
    }
    if (kept === undefined) return readSync(descriptor, bytes, offset, ...rest);
    const read = kept.length;
    bytes.set(kept, offset);
    kept = undefined;
    return read;
  };`;

/** Asks the host function for the number in the input, twice if the first is caught. */
const ASKING = `(module
  (import "extism:host/env" "input_load_u64" (func $input (param i64) (result i64)))
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/env" "output_set" (func $output (param i64 i64)))
  (import "extism:host/user" "ask" (func $ask (param i64) (result i64)))
  (func $answer (param $question i64) (local $answer i64)
    (local.set $answer (call $ask (local.get $question)))
    (call $output (local.get $answer) (call $length (local.get $answer))))
  (func (export "run") (call $answer (call $input (i64.const 0))))
  (func (export "catches")
    (try (do (call $answer (i64.const 1))) (catch_all (call $answer (i64.const 2)))))
  (func (export "forgets")
    (try (do (call $answer (i64.const 1))) (catch_all))))`;

const services = memoryHostServices({
  functions: new Map([
    [
      "ask",
      {
        parameters: ["i64"],
        result: "bytes",
        call: async (_scope, [question]) =>
          allow("test", new TextEncoder().encode(`the answer to ${String(question)}`)),
      },
    ],
  ]),
});

async function openCutOff() {
  const cutOff = await program(CUT_OFF);
  const asking = await assembleWat(ASKING, { exceptions: true });
  const deps = { runnerProgram: cutOff.path };
  const open = await openPlugin(asking, { abi: "extism", services, deps });
  return {
    open,
    async [Symbol.asyncDispose]() {
      await open[Symbol.asyncDispose]();
      await cutOff[Symbol.asyncDispose]();
    },
  };
}

function number(value: number): Uint8Array {
  return new Uint8Array(BigUint64Array.of(BigInt(value)).buffer);
}

describe("an answer whose question was cut off", () => {
  it("does not reach the call behind it", async () => {
    await using cutOff = await openCutOff();
    const { plugin } = cutOff.open;
    const calls = [1, 2].map((question) => plugin.call(callScope(), "run", number(question)));
    const [first, second] = await Promise.all(calls);
    expect([first, second].map((outcome) => outcome && codeOf(outcome))).toEqual([
      "SANDBOX_RUNNER_LOST",
      "SANDBOX_NOT_STARTED",
    ]);
  });

  it.for(["catches", "forgets"])("ends a process whose plugin %s it", async (name) => {
    await using cutOff = await openCutOff();
    expect(codeOf(await cutOff.open.call(name))).toBe("SANDBOX_RUNNER_LOST");
  });
});
