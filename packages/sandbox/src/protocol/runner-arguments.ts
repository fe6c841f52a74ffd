/**
 * @module What a host tells a runner's process at its start, as arguments of the command line: whose
 * child it is, what it is for, and how it locks itself down.
 *
 *   node [flags] runner.cjs PARENT_PID plugin|canary LOCK_DOWN_AS_JSON
 */
import type { User } from "@glovebox/linux/process";

/** What a process is started for: to hold a plugin, or to prove that it is locked in. */
export type RunnerRole = "plugin" | "canary";

/** How a runner locks itself down. */
export interface LockDownRequest {
  /** Path of koffi's program, where it is needed and installed. */
  readonly koffiEntry?: string;
  /** The user to become, where the host may change it. */
  readonly user?: User;
  /** CPU time of the process's whole life, seconds. */
  readonly lifeCpuSeconds: number;
}

/** The arguments, parsed. */
export interface RunnerArguments {
  /** As this process sees it. */
  readonly parentPid: number;
  readonly role: RunnerRole;
  readonly lockDown: LockDownRequest;
}

/** To the command line. */
export function formatArguments({ parentPid, role, lockDown }: RunnerArguments): string[] {
  return [String(parentPid), role, JSON.stringify(lockDown)];
}

/** From the command line; the host wrote it. */
export function parseArguments([
  parentPid,
  role,
  lockDown = "{}",
]: readonly string[]): RunnerArguments {
  return {
    parentPid: Number(parentPid),
    role: role === "canary" ? "canary" : "plugin",
    lockDown: JSON.parse(lockDown) as LockDownRequest,
  };
}
