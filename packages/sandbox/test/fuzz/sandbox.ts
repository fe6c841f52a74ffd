/**
 * @module Fuzzes the sandbox from both sides of a runner: frames of a process that was taken over, and
 * modules that misuse the kernel. After each run another plugin of the same sandbox answers, and the
 * host has not grown.
 */
import { createSandbox } from "@glovebox/sandbox";
import { assembleWat, callScope, memoryHostServices } from "@glovebox/testkit";
import fc from "fast-check";

import { flatPlugin } from "../support/fixtures.ts";
import { hostileRunner } from "../support/hostile-runner.ts";
import { loadPlugin } from "../support/open-plugin.ts";
import { openTogether, type Use } from "../support/open-together.ts";
import { conversation, problemWith, SEND_CONVERSATION } from "./hostile-frames.ts";
import { kernelProgram, moduleOf, problemWithKernel } from "./kernel-calls.ts";

/** A run that took longer than this hung. */
const HANG_MS = 20_000;
const MAX_GROWTH_BYTES = 256 * 2 ** 20;
const LIMITS = { wallMs: 150, cpuMs: 150, outputBytes: 2 ** 20 };
/** Nobody waits for a module, so that only a busy machine could make its call last. */
const KERNEL_LIMITS = { ...LIMITS, wallMs: HANG_MS };

/** What went wrong. */
export interface SandboxFinding {
  readonly problem: string;
  readonly input: unknown;
}

interface SandboxFuzzer {
  run(seed: number): Promise<SandboxFinding | undefined>;
}

/** Opens the fuzzer; runs with even numbers send frames, the others call the kernel. */
export function openSandboxFuzzer(): Promise<SandboxFuzzer & AsyncDisposable> {
  return openTogether(fuzzerWith);
}

async function fuzzerWith(use: Use): Promise<SandboxFuzzer> {
  const program = use(await hostileRunner(SEND_CONVERSATION));
  const hostile = use(await createSandbox({ poolSize: 1 }, { runnerProgram: program.path }));
  const honest = use(await createSandbox({ poolSize: 1 }));
  const witness = await loadPlugin(honest, flatPlugin());
  const startBytes = process.memoryUsage.rss();

  async function sendFrames(seed: number): Promise<SandboxFinding | undefined> {
    const [input] = fc.sample(conversation, { seed, numRuns: 1 });
    if (input === undefined) return undefined;
    const plugin = await loadPlugin(hostile, flatPlugin(), { limits: LIMITS });
    const bytes = new TextEncoder().encode(JSON.stringify(input));
    const outcome = await plugin.call(callScope(), "echo", bytes);
    await plugin.kill("judged");
    const problem = problemWith(input, outcome);
    return problem === undefined ? undefined : { problem, input };
  }

  async function callKernel(seed: number): Promise<SandboxFinding | undefined> {
    const [calls] = fc.sample(kernelProgram, { seed, numRuns: 1 });
    if (calls === undefined) return undefined;
    const input = moduleOf(calls);
    const services = memoryHostServices();
    const module = await assembleWat(input);
    const plugin = await loadPlugin(honest, module, {
      abi: "extism",
      limits: KERNEL_LIMITS,
      services,
    });
    // Twice: the second call finds what the first has left.
    for (const text of ["a first input", ""]) {
      const outcome = await plugin.call(callScope(), "run", new TextEncoder().encode(text));
      const problem = problemWithKernel(outcome);
      if (problem !== undefined) return { problem, input };
    }
    await plugin.kill("judged");
    return undefined;
  }

  async function judge(seed: number): Promise<SandboxFinding | undefined> {
    const finding = await (seed % 2 === 0 ? sendFrames(seed) : callKernel(seed));
    if (finding !== undefined) return finding;
    const witnessed = await witness.call(callScope(), "echo", new TextEncoder().encode("here"));
    if (!witnessed.ok) return { problem: `the other plugin: ${witnessed.error.code}`, input: seed };
    const grown = process.memoryUsage.rss() - startBytes;
    return grown > MAX_GROWTH_BYTES ? { problem: `${grown} bytes more`, input: seed } : undefined;
  }

  return {
    async run(seed) {
      const late = Promise.withResolvers<SandboxFinding>();
      const timer = setTimeout(
        () => late.resolve({ problem: "it never ended", input: seed }),
        HANG_MS,
      );
      try {
        return await Promise.race([judge(seed), late.promise]);
      } catch (error) {
        return { problem: `it threw ${String(error)}`, input: seed };
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
