/**
 * @module Boots runners of which it was shown what holds them: what only a canary can show is taken
 * from it, the rest is asked of the kernel for each of them anew.
 */
import { SandboxError } from "../errors.ts";
import { type IsolationProof, layersOf, type OuterLayer } from "../isolation-level.ts";
import { proofOf } from "./canary.ts";
import type { Launcher } from "./launcher.ts";
import { Runner } from "./runner.ts";

/** A booted runner and what was shown of it. */
export interface ProvenRunner {
  readonly runner: Runner;
  readonly proof: IsolationProof;
  /** How long its lock-down took, milliseconds. */
  readonly lockDownMs: number;
}

/**
 * Boots one; ends it where it is not behind the layer that the options name.
 *
 * @throws {@link SandboxError} (`SANDBOX_BOOT_FAILED`, `SANDBOX_ISOLATION`)
 */
export async function bootProven(
  launcher: Launcher,
  canary: Promise<IsolationProof>,
  wanted: OuterLayer | "none" | undefined,
): Promise<ProvenRunner> {
  const { runner, hello } = await Runner.boot(launcher, "plugin");
  try {
    const proof = { ...(await canary), ...proofOf(hello, runner.pid, launcher) };
    const problem = withoutLayer(proof, wanted);
    if (problem !== undefined) throw problem;
    return { runner, proof, lockDownMs: hello.lockDownMs };
  } catch (error) {
    // Also one that has died before the kernel was asked about it.
    runner.kill(new SandboxError("SANDBOX_BOOT_FAILED", { cause: error }));
    throw error;
  }
}

/** A layer that the options name and that starts here must also hold: only a proof says so. */
export function withoutLayer(
  proof: IsolationProof,
  wanted: OuterLayer | "none" | undefined,
): SandboxError | undefined {
  if (wanted === undefined || wanted === "none" || layersOf(proof, wanted).includes(wanted))
    return undefined;
  return new SandboxError("SANDBOX_ISOLATION", {
    message: `the outer layer ${wanted} was not shown to hold: what it must refuse was not refused`,
    details: { wanted },
  });
}
