/**
 * @module What a runner's process is started with, and how its end is named. A plain spawn, never
 * fork: Node's own IPC dies of one malformed line from a hostile child. No environment, no
 * descriptors but the socket, no flags that a plugin could use.
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { isAbsolute } from "node:path";

import { type KoffiLocation, locateKoffi } from "@glovebox/linux";
import type { User } from "@glovebox/linux/process";

import { SandboxError } from "../errors.ts";
import { RUNNER_LIFE_CPU_SECONDS } from "../limits.ts";
import { formatArguments, type RunnerRole } from "../protocol/runner-arguments.ts";
import type { ProcessEnd } from "../spawner/spawn-point.ts";

/** The built runner; also tests run it and not its source (docs/decisions). */
const RUNNER_PROGRAM: string = createRequire(import.meta.url).resolve("#runner");

/** "nobody", who owns nothing. */
const RUNNER_USER: User = { uid: 65_534, gid: 65_534 };

const ENGINE_FLAGS = [
  "--single-threaded",
  // 0 would be as many as the machine has cores.
  "--v8-pool-size=1",
  "--max-old-space-size=64",
  "--max-semi-space-size=1",
  "--disallow-code-generation-from-strings",
  "--disable-proto=delete",
  "--disable-sigusr1",
  "--expose-gc",
  "--no-warnings",
] as const;

/** What the loader reads to find the shared objects. */
const LOADER_FILES = ["/etc/ld.so.cache"] as const;

/** How runners are started. */
export interface Launch {
  /** Path of the program. Default: the runner of this package. */
  readonly program?: string;
  /** The user that they become; `host` = they stay the host's. Default: nobody where the host is root, else the host's. */
  readonly user?: User | "host";
  /** CPU time of a runner's whole life, seconds. Default: {@link RUNNER_LIFE_CPU_SECONDS}. */
  readonly lifeCpuSeconds?: number;
}

/** Node with a runner's arguments. `parentPid`: as the runner sees it. */
export function runnerCommand(
  role: RunnerRole,
  parentPid: number,
  launch: Launch = {},
): readonly string[] {
  const { program = RUNNER_PROGRAM, lifeCpuSeconds = RUNNER_LIFE_CPU_SECONDS } = launch;
  const koffi = neededKoffi();
  const user = runnerUser(launch);
  return [
    process.execPath,
    ...ENGINE_FLAGS,
    ...permissionFlags(program, koffi),
    program,
    ...formatArguments({
      parentPid,
      role,
      lockDown: {
        ...(koffi === undefined ? {} : { koffiEntry: koffi.entry }),
        ...(user === undefined ? {} : { user }),
        lifeCpuSeconds,
      },
    }),
  ];
}

/** The user that a runner becomes; `undefined` = none. Whoever is root can undo what binds others. */
export function runnerUser({ user }: Launch): User | undefined {
  if (user === "host") return undefined;
  return user ?? (process.getuid?.() === 0 ? RUNNER_USER : undefined);
}

/** The files, and folders with all in them, that a runner's process reads until it runs its program. */
export function readableFiles({ program = RUNNER_PROGRAM }: Launch): readonly string[] {
  return [
    process.execPath,
    ...sharedObjects(),
    ...LOADER_FILES,
    program,
    ...(neededKoffi()?.readable ?? []),
  ].filter((path) => existsSync(path));
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

/** Whether runners have a back end for system calls. */
export function canCallTheSystem(): boolean {
  return hasNodeFfi() || locateKoffi() !== undefined;
}

/** koffi, where Node has no way of its own to make system calls. */
export function neededKoffi(): KoffiLocation | undefined {
  return hasNodeFfi() ? undefined : locateKoffi();
}

function hasNodeFfi(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  return major > 26 || (major === 26 && minor >= 1);
}

function permissionFlags(program: string, koffi: KoffiLocation | undefined): string[] {
  const readable = [program, ...(koffi?.readable ?? [])];
  return [
    "--permission",
    ...readable.map((path) => `--allow-fs-read=${path}`),
    ...(hasNodeFfi() ? ["--allow-ffi"] : []),
    ...(koffi === undefined ? [] : ["--allow-addons"]),
  ];
}

/** What this process, the same Node, was linked with by the loader; addons of the application are not. */
function sharedObjects(): readonly string[] {
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork?: boolean };
  const { excludeNetwork = false } = report;
  report.excludeNetwork = true; // or it would look up names
  const { sharedObjects: paths } = report.getReport() as unknown as { sharedObjects: string[] };
  report.excludeNetwork = excludeNetwork;
  return paths.filter((path) => isAbsolute(path) && !path.endsWith(".node"));
}
