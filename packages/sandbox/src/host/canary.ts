/**
 * @module Proves the isolation level: a runner without a plugin tries what must be refused, makes a
 * call that must kill it, and the host asks the kernel what it knows of that process. Of every other
 * runner the host asks the kernel again (docs/decisions).
 */
import { readThreads } from "@glovebox/linux";
import { type CallAnswer, knownArchitecture } from "@glovebox/linux/seccomp";

import { SandboxError } from "../errors.ts";
import type { IsolationProof } from "../isolation-level.ts";
import { BOOT_DEADLINE_MS, DEFAULT_RUNNER_LIMITS } from "../limits.ts";
import { followsPolicy } from "../lockdown/follows-policy.ts";
import { runnerCalls } from "../lockdown/syscall-policy.ts";
import { FRAME } from "../protocol/frame-table.ts";
import type { Hello } from "../protocol/hello.ts";
import type { Launcher } from "./launcher.ts";
import { command } from "./load-plugin.ts";
import { Runner } from "./runner.ts";

/** The answers that a canary can receive and live. */
const ANSWERED: Readonly<Partial<Record<CallAnswer, number>>> = { EPERM: -1, zero: 0 };

/** What only a canary can show; of other runners it is taken from it. */
export type CanaryProof = Pick<IsolationProof, "failing" | "refused" | "policy" | "fatal">;

/** Runs a canary to its end. */
export async function runCanary(launcher: Launcher): Promise<IsolationProof> {
  const { runner, hello } = await Runner.boot(launcher, "canary");
  try {
    const proof = proofOf(hello, runner.pid, launcher);
    const death = proof.filtered ? diesOfViolation(runner) : false;
    const judged = judgeReport(hello, launcher.pidInside(runner.pid)); // while it dies
    const refused = hello.outside !== undefined && launcher.refused(hello.outside);
    return { ...proof, ...judged, refused, fatal: await death };
  } finally {
    runner.kill(new SandboxError("SANDBOX_CLOSED"));
    await runner.ended;
  }
}

/** What is shown of a runner by its HELLO, and by the kernel where there is one to ask. */
export function proofOf(
  { denied, unfiltered }: Hello,
  pid: number,
  launcher: Launcher,
): Omit<IsolationProof, keyof CanaryProof> {
  const { files, processes, threads } = denied;
  const shown = { files, processes, threads };
  if (process.platform !== "linux")
    return { ...shown, confined: false, filtered: false, unprivileged: false };
  const all = readThreads(pid);
  const gainNothing = all.every(({ noNewPrivileges }) => noNewPrivileges);
  return {
    ...shown,
    confined: gainNothing && launcher.isConfined(pid),
    filtered: unfiltered === undefined && gainNothing && all.every(({ filtered }) => filtered),
    unprivileged: all.every(({ users, capabilities }) => !users.includes(0) && capabilities === 0n),
  };
}

function judgeReport({ canary }: Hello, pid: number): Pick<CanaryProof, "failing" | "policy"> {
  const architecture = knownArchitecture();
  if (canary === undefined || architecture === undefined) return { failing: false, policy: false };
  const tried = runnerCalls(pid).filter(({ answer }) => answer in ANSWERED);
  return {
    failing: tried.every(({ call, answer }) => canary.attempts[call] === ANSWERED[answer]),
    policy: followsPolicy(Buffer.from(canary.program, "base64"), pid, architecture),
  };
}

/** Any command makes a canary make its forbidden call; one that answers has survived it. */
async function diesOfViolation(runner: Runner): Promise<boolean> {
  const limits = { ...DEFAULT_RUNNER_LIMITS, wallMs: BOOT_DEADLINE_MS };
  const survived = await command(runner, FRAME.CONFIGURE, 0, new Uint8Array(0), limits).then(
    () => true,
    () => false,
  );
  if (survived) return false;
  return (await runner.ended).signal === "SIGSYS";
}
