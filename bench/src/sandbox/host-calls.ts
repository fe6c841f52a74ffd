/** @module What a synchronous host call costs, over the pattern with a helper thread. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";

import { allow } from "@glovebox/core/decision";
import type { HostFunction } from "@glovebox/core/ports";
import type { Sandbox } from "@glovebox/sandbox";
import { assembleWat, callScope, memoryHostServices } from "@glovebox/testkit";

import { interleave, median, ratio } from "../measure.ts";
import { openPlugin } from "./open-plugin.ts";

const CALLS = 500;
const ROUNDS = 21;

const ASKING = `(module (import "extism:host/user" "answer" (func $answer (param i32) (result i32)))
  (func (export "ask") (result i32) (local $left i32)
    (local.set $left (i32.const ${CALLS}))
    (loop $more
      (drop (call $answer (local.get $left)))
      (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (i32.const 0)))`;

/** Time of a host call over the peer's, and in microseconds. */
export async function hostCallRatios(sandbox: Sandbox): Promise<Record<string, number>> {
  const answer: HostFunction = {
    parameters: ["i32"],
    result: "i32",
    call: async (_scope, [value]) => allow("bench", value),
  };
  const services = { ...memoryHostServices(), functions: new Map([["answer", answer]]) };
  const limits = { hostCalls: CALLS, hostCallsPerSecond: 1e7 };
  const plugin = await openPlugin(sandbox, await assembleWat(ASKING), {
    limits,
    spec: { abi: "extism", services },
  });
  const scope = callScope();
  await using peer = helperThreadPeer();
  const ours = async (): Promise<number> => {
    const startMs = performance.now();
    const outcome = await plugin.call(scope, "ask", new Uint8Array(0));
    if (!outcome.ok) throw new Error(outcome.error.message);
    return (performance.now() - startMs) / CALLS;
  };
  await ours();
  await peer.measure();
  const figures = await interleave(ROUNDS, [
    { name: "ours", measure: ours },
    { name: "peer", measure: () => peer.measure() },
  ]);
  await plugin.kill("the bench is done");
  return {
    host_call_vs_helper_thread: ratio(figures.ours, figures.peer),
    host_call_us_p50: median(figures.ours) * 1_000,
  };
}

function helperThreadPeer(): AsyncDisposable & { measure(): Promise<number> } {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL("./helper-thread-child.js", import.meta.url))],
    { stdio: ["pipe", "pipe", "inherit", "pipe"] },
  );
  const socket = child.stdio[3] as Duplex;
  socket.on("data", (request: Uint8Array) => socket.write(request));
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[
    Symbol.asyncIterator
  ]();
  return {
    async measure() {
      child.stdin?.write(`${CALLS}\n`);
      const { value } = await lines.next();
      return Number(value);
    },
    async [Symbol.asyncDispose]() {
      child.kill();
      await once(child, "exit");
    },
  };
}
