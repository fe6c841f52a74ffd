/**
 * @module Starts a runner's process, and names how one ended. A plain spawn, never fork: Node's
 * own IPC dies of one malformed line from a hostile child. No environment, no descriptors but the
 * socket, no flags that a plugin could use.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import type { Socket } from "node:net";

import { type KoffiLocation, locateKoffi } from "@glovebox/linux";
import type { User } from "@glovebox/linux/process";

import { SandboxError } from "../errors.ts";
import { MAX_STDERR_CHARACTERS, RUNNER_LIFE_CPU_SECONDS } from "../limits.ts";
import { formatArguments, type RunnerRole } from "../protocol/runner-arguments.ts";

/** A started process. */
export interface RunnerProcess {
  readonly pid: number;
  /** What it wrote to standard error so far, at most {@link MAX_STDERR_CHARACTERS}. */
  lastWords(): string;
  /** Ends it at once; safe to repeat. */
  kill(): void;
  /** Resolves when it has ended and its output was read. */
  readonly ended: Promise<ProcessEnd>;
}

/** How a process ended. */
export interface ProcessEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The built runner; also tests run it and not its source (docs/decisions). */
const RUNNER_PROGRAM: string = createRequire(import.meta.url).resolve("#runner");

/** "nobody", who owns nothing. */
const RUNNER_USER: User = { uid: 65_534, gid: 65_534 };

const ENGINE_FLAGS = [
  "--single-threaded",
  "--v8-pool-size=0",
  "--max-old-space-size=64",
  "--max-semi-space-size=1",
  "--disallow-code-generation-from-strings",
  "--disable-proto=delete",
  "--disable-sigusr1",
  "--expose-gc",
  "--no-warnings",
] as const;

/** How runners are started. */
export interface Launch {
  /** Path of the program. Default: the runner of this package. */
  readonly program?: string;
  /** The user that they become; `host` = they stay the host's. Default: nobody where the host is root, else the host's. */
  readonly user?: User | "host";
  /** CPU time of a runner's whole life, seconds. Default: {@link RUNNER_LIFE_CPU_SECONDS}. */
  readonly lifeCpuSeconds?: number;
}

/** Starts a runner on its end of a socket pair. */
export function startRunnerProcess(
  runnerEnd: Socket,
  role: RunnerRole,
  {
    program = RUNNER_PROGRAM,
    user = isRoot() ? RUNNER_USER : "host",
    lifeCpuSeconds = RUNNER_LIFE_CPU_SECONDS,
  }: Launch = {},
): RunnerProcess {
  const koffi = hasNodeFfi() ? undefined : locateKoffi();
  const child = spawn(
    process.execPath,
    [
      ...ENGINE_FLAGS,
      ...permissionFlags(program, koffi),
      program,
      ...formatArguments({
        hostPid: process.pid,
        role,
        lockDown: {
          ...(koffi === undefined ? {} : { koffiEntry: koffi.entry }),
          ...(user === "host" ? {} : { user }),
          lifeCpuSeconds,
        },
      }),
    ],
    {
      // As descriptors 0 and 1 the socket is blocking in the child; libuv leaves others as they are.
      stdio: [runnerEnd, runnerEnd, "pipe"],
      // OpenSSL would read its configuration, which the permission model refuses noisily.
      env: { OPENSSL_CONF: "/dev/null", MALLOC_ARENA_MAX: "1" },
      cwd: "/",
    },
  );
  runnerEnd.destroy();
  const ended = new Promise<ProcessEnd>((resolve) => {
    child.once("close", (exitCode, signal) => resolve({ exitCode, signal }));
    child.once("error", () => resolve({ exitCode: null, signal: null }));
  });
  return {
    pid: child.pid ?? 0,
    lastWords: keepLastWords(child),
    kill: () => void child.kill("SIGKILL"),
    ended,
  };
}

/** Names an end that the host did not ask for. An end alone is no sign of an attack. */
export function describeEnd(end: ProcessEnd, lastWords: string): SandboxError {
  const details = { exitCode: end.exitCode, signal: end.signal };
  if (/heap out of memory|Reached heap limit|Allocation failed/.test(lastWords)) {
    return new SandboxError("SANDBOX_MEMORY_LIMIT", {
      message: "the plugin's process ran out of JavaScript heap",
      details,
    });
  }
  const how = end.signal === null ? `exit code ${end.exitCode ?? "unknown"}` : end.signal;
  return new SandboxError("SANDBOX_RUNNER_LOST", {
    message: `the plugin's process ended with ${how}${lastWords === "" ? "" : `: ${lastWords}`}`,
    details,
  });
}

/** Whoever is root can undo what binds others: limits, and what it may not read. */
function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Whether runners have a back end for system calls. */
export function canCallTheSystem(): boolean {
  return hasNodeFfi() || locateKoffi() !== undefined;
}

function hasNodeFfi(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  return major > 26 || (major === 26 && minor >= 1);
}

function permissionFlags(program: string, koffi: KoffiLocation | undefined): string[] {
  const readable = [program, "/proc/self/statm", ...(koffi?.readable ?? [])];
  return [
    "--permission",
    ...readable.map((path) => `--allow-fs-read=${path}`),
    ...(hasNodeFfi() ? ["--allow-ffi"] : []),
    ...(koffi === undefined ? [] : ["--allow-addons"]),
  ];
}

/** Standard error is attacker-controlled: at the bound it is closed, so that a flood costs nothing. */
function keepLastWords(child: ChildProcess): () => string {
  let kept = "";
  child.stderr?.setEncoding("utf8");
  child.stderr?.on("data", (text: string) => {
    kept = (kept + text).slice(0, MAX_STDERR_CHARACTERS);
    if (kept.length === MAX_STDERR_CHARACTERS) child.stderr?.destroy();
  });
  return () => kept.trim();
}
