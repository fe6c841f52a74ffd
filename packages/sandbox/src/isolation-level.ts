/**
 * @module How well runners are locked in, as levels in order, and what must have been shown of them
 * to reach one (invariant I2). Nothing is read from flags: a level is what was tried and what the
 * kernel says.
 */
import { knownArchitecture } from "@glovebox/linux/seccomp";

/** The levels, weakest first. */
export const ISOLATION_LEVELS = ["none", "permission", "hardened", "strict"] as const;

/**
 * `none`: a process of its own, nothing else. `permission`: Node's permission model refuses files,
 * processes and threads. `hardened`: a filter of system calls is in force on every thread.
 * `strict`: the whole of it: the filter answers each call as its table says, what it forbids ends
 * the process, and the process has no privileges with the kernel.
 */
export type IsolationLevel = (typeof ISOLATION_LEVELS)[number];

/** What was shown, each by an attempt that failed or by the kernel's own word. */
export interface IsolationProof {
  /** Refused by Node's permission model. */
  readonly files: boolean;
  readonly processes: boolean;
  readonly threads: boolean;
  /** The kernel says of every thread that it is filtered and gains no privileges. */
  readonly filtered: boolean;
  /** Calls that must not be made were answered without. */
  readonly failing: boolean;
  /** The filter's program answers each number as the table says. */
  readonly policy: boolean;
  /** A forbidden call ended the process with SIGSYS. */
  readonly fatal: boolean;
  /** The kernel says of every thread that it is not root and has no capabilities. */
  readonly unprivileged: boolean;
}

/** What each level asks beyond those below it. */
const ASKED: Readonly<Record<IsolationLevel, readonly (keyof IsolationProof)[]>> = {
  none: [],
  permission: ["files", "processes", "threads"],
  hardened: ["filtered", "failing"],
  strict: ["policy", "fatal", "unprivileged"],
};

/** The highest level of which everything, and everything below it, was shown. */
export function levelOf(proof: IsolationProof): IsolationLevel {
  const unproven = ISOLATION_LEVELS.findIndex((level) => ASKED[level].some((name) => !proof[name]));
  return ISOLATION_LEVELS[unproven === -1 ? ISOLATION_LEVELS.length - 1 : unproven - 1] ?? "none";
}

/** What was not shown of what `level` asks. */
export function missingFor(level: IsolationLevel, proof: IsolationProof): readonly string[] {
  return ISOLATION_LEVELS.filter((below) => reaches(level, below)).flatMap((below) =>
    ASKED[below].filter((name) => !proof[name]),
  );
}

/** Whether `level` is at least `minimum`. */
export function reaches(level: IsolationLevel, minimum: IsolationLevel): boolean {
  return ISOLATION_LEVELS.indexOf(level) >= ISOLATION_LEVELS.indexOf(minimum);
}

/**
 * The level below which nothing is loaded unless the options say so: the highest that this system
 * can reach, so `strict` on Linux (x64, arm64) and `permission` elsewhere.
 */
export const DEFAULT_MINIMUM_ISOLATION: IsolationLevel =
  process.platform === "linux" && knownArchitecture() !== undefined ? "strict" : "permission";
