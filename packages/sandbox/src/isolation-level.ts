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
 * processes and threads. `hardened`: a filter of system calls is in force on every thread, or an
 * outer layer stands around the process. `strict`: the whole filter: it answers each call as its
 * table says, what it forbids ends the process, and the process has no privileges with the kernel.
 */
export type IsolationLevel = (typeof ISOLATION_LEVELS)[number];

/** What can stand around a process from before its first instruction on. */
export type OuterLayer = "bubblewrap" | "landlock";

/** What holds a runner, each shown by itself: a level is what they hold together. */
export type IsolationLayer = "permission" | OuterLayer | "seccomp";

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
  /** The kernel says that the process is in namespaces of its own, or was started by a confined thread. */
  readonly confined: boolean;
  /** The outer layer refused what it must. */
  readonly refused: boolean;
  /** The filter's program answers each number as the table says. */
  readonly policy: boolean;
  /** A forbidden call ended the process with SIGSYS. */
  readonly fatal: boolean;
  /** The kernel says of every thread that it is not root and has no capabilities. */
  readonly unprivileged: boolean;
}

type Shown = keyof IsolationProof;

const FILTER: readonly Shown[] = ["filtered", "failing"];
const OUTER: readonly Shown[] = ["confined", "refused"];

/** What each level asks beyond those below it: all of one of these. */
const ASKED: Readonly<Record<IsolationLevel, readonly (readonly Shown[])[]>> = {
  none: [[]],
  permission: [["files", "processes", "threads"]],
  hardened: [FILTER, OUTER],
  strict: [[...FILTER, "policy", "fatal", "unprivileged"]],
};

/** The highest level of which everything, and everything below it, was shown. */
export function levelOf(proof: IsolationProof): IsolationLevel {
  const unproven = ISOLATION_LEVELS.findIndex((level) => !isShown(ASKED[level], proof));
  return ISOLATION_LEVELS[unproven === -1 ? ISOLATION_LEVELS.length - 1 : unproven - 1] ?? "none";
}

/** What was not shown of what `level` asks. */
export function missingFor(level: IsolationLevel, proof: IsolationProof): readonly string[] {
  const asked = ISOLATION_LEVELS.filter(
    (below) => reaches(level, below) && !isShown(ASKED[below], proof),
  ).flatMap((below) => ASKED[below][0] ?? []);
  return [...new Set(asked.filter((name) => !proof[name]))];
}

/** The layers that were shown to hold, outermost first. */
export function layersOf(
  proof: IsolationProof,
  outer: OuterLayer | undefined,
): readonly IsolationLayer[] {
  const holds = (names: readonly Shown[]): boolean => names.every((name) => proof[name]);
  return [
    ...(outer !== undefined && holds(OUTER) ? [outer] : []),
    ...(holds(FILTER) ? ["seccomp" as const] : []),
    ...(isShown(ASKED.permission, proof) ? ["permission" as const] : []),
  ];
}

function isShown(asked: readonly (readonly Shown[])[], proof: IsolationProof): boolean {
  return asked.some((names) => names.every((name) => proof[name]));
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
