/** @module Threads that do not come to an end, or take too much memory, with the job that made them. */
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";

import { systemClock } from "@glovebox/core/clock";
import { allow } from "@glovebox/core/decision";
import { ABI_REQUIREMENTS } from "@glovebox/sandbox";
import { assembleWat } from "@glovebox/testkit";
import { describe, expect, test } from "vitest";

import { createModuleCrew } from "#module-crew";

import { ECHO, flatPlugin } from "../open-runtime.ts";

const requirements = { ...ABI_REQUIREMENTS.flat, linkedModules: [] };
const maxima = { maxMemoryPages: 1_000, maxTableElements: 100 };
const host = {
  engine: { validate: async () => allow("test", { imports: [], exports: [] }) },
  known: () => undefined,
  keep: () => undefined,
};

/** A crew whose threads run this program. */
function crewOf(program: string, deadlineMs = 60_000) {
  const spawn = (): Worker =>
    new Worker(`const { parentPort } = require("node:worker_threads"); ${program}`, {
      eval: true,
      resourceLimits: { maxOldGenerationSizeMb: 16 },
    });
  return createModuleCrew({ policy: {} }, { clock: systemClock, deadlineMs, spawn });
}

const job = async () => ({
  bytes: await assembleWat(flatPlugin({ run: ECHO })),
  requirements,
  ...maxima,
});

describe("a thread is ended with its job", () => {
  test("when it does not come to an end", async () => {
    await using crew = crewOf(`parentPort.on("message", () => { for (;;); });`, 50);
    const prepared = await crew.prepare(await job(), host);
    expect(prepared).toMatchObject({ code: "RUNTIME_MODULE_WORK", rule: "wasm.thread.deadline" });
  });

  test("when it takes too much memory", async () => {
    await using crew = crewOf(
      `parentPort.on("message", () => { const all = []; for (;;) all.push({ length: all.length }); });`,
    );
    const prepared = await crew.prepare(await job(), host);
    expect(prepared).toMatchObject({ code: "RUNTIME_MODULE_WORK", rule: "wasm.thread.memory" });
  });

  test("when it ends by itself, and others go on in threads of their own", async () => {
    await using crew = crewOf(`parentPort.on("message", () => process.exit());`);
    const prepared = await Promise.all(
      Array.from({ length: 5 }, async () => crew.prepare(await job(), host)),
    );
    expect(prepared.map(({ allowed }) => allowed)).toEqual(Array(5).fill(false));
  });
});

test("a job that waits for a thread is refused when the crew closes", async () => {
  const crew = crewOf(`parentPort.on("message", () => undefined);`);
  const jobs = Array.from({ length: 4 }, async () => crew.prepare(await job(), host));
  await sleep(1);
  await crew[Symbol.asyncDispose]();
  for (const prepared of await Promise.all(jobs)) {
    expect(prepared).toMatchObject({ code: "RUNTIME_MODULE_WORK" });
  }
});

test("a module that is larger than what is handed over at once arrives whole", async () => {
  await using crew = createModuleCrew({ policy: undefined }, { clock: systemClock });
  const text = "x".repeat(2_500_000);
  const module = await assembleWat(flatPlugin({ run: ECHO }, `(data "${text}y")`));
  const prepared = await crew.prepare({ bytes: module, requirements, ...maxima }, host);
  if (!prepared.allowed) throw new Error(prepared.reason);
  expect(Buffer.from(prepared.value.bytes).includes(`${text}y`)).toBe(true);
});

describe("the engine's verdict", () => {
  const crew = () => createModuleCrew({ policy: {} }, { clock: systemClock });

  test("that differs from what the thread reads is a refusal", async () => {
    await using real = crew();
    const prepared = await real.prepare(await job(), host);
    expect(prepared).toMatchObject({ code: "WASM_DISAGREEMENT" });
  });

  test("that never comes does not run the thread's time out", async () => {
    await using real = createModuleCrew({ policy: {} }, { clock: systemClock, deadlineMs: 5_000 });
    const asked = Promise.withResolvers<void>();
    const slow = {
      ...host,
      engine: {
        validate: () => {
          asked.resolve();
          return new Promise<never>(() => undefined);
        },
      },
    };
    const prepared = real.prepare(await job(), slow);
    await asked.promise;
    await real[Symbol.asyncDispose]();
    expect(await prepared).toMatchObject({ rule: "wasm.thread" });
  });

  test("that throws is a refusal", async () => {
    await using real = crew();
    const engine = { validate: () => Promise.reject(new Error("no engine")) };
    const prepared = await real.prepare(await job(), { ...host, engine });
    expect(prepared).toMatchObject({ allowed: false, code: "CORE_CHECK_FAILED" });
  });
});
