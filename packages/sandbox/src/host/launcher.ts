/**
 * @module Starts runners: a connection to the host itself whose other end is a process behind the
 * strongest outer layer that works here. Twice as fast as a pipe, because the host reads into memory
 * that it chose (`onread`).
 */
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { connect, type OnReadOpts, type Socket } from "node:net";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";

import { SandboxError } from "../errors.ts";
import type { OuterLayer } from "../isolation-level.ts";
import { BUBBLEWRAP_START_MS, MAX_SOCKET_PATH_BYTES } from "../limits.ts";
import type { OutsideReport } from "../protocol/hello.ts";
import type { RunnerRole } from "../protocol/runner-arguments.ts";
import {
  NO_CONFIGURATION,
  type SpawnedProcess,
  SpawnPoint,
  type Starting,
} from "../spawner/spawn-point.ts";
import {
  bubblewrapArguments,
  findBubblewrap,
  isApart,
  INIT_INSIDE,
  probeBubblewrap,
  RUNNER_INSIDE,
  runnerBelow,
} from "./bubblewrap.ts";
import { openLandlockSpawner, type Spawner } from "./landlock-spawner.ts";
import {
  canCallTheSystem,
  type Launch,
  neededKoffi,
  readableFiles,
  runnerCommand,
  runnerUser,
} from "./runner-process.ts";

const { errno } = constants;

/** The version of Landlock that brought rights over ports (Linux 6.7). */
const LANDLOCK_WITH_PORTS = 4;

/** What a launcher takes from its surroundings. */
export interface LauncherDeps {
  readonly findBubblewrap: typeof findBubblewrap;
  /** Time that bubblewrap has to start a process, milliseconds. */
  readonly bubblewrapStartMs: number;
}

const DEFAULT_DEPS: LauncherDeps = { findBubblewrap, bubblewrapStartMs: BUBBLEWRAP_START_MS };

/** Starts runners until it is closed. */
export interface Launcher {
  /** What stands around the runners; `undefined` = nothing does. */
  readonly layer: OuterLayer | undefined;
  /** Whether it can start runners; once it cannot, it never can again. */
  readonly isAlive: boolean;
  /** Why another layer does not, by its name. */
  readonly absent: Readonly<Partial<Record<OuterLayer, string>>>;
  /**
   * Starts a runner. `connected` gets the host's end before anything can arrive there.
   *
   * @throws {@link SandboxError} (`SANDBOX_BOOT_FAILED`)
   */
  start(
    role: RunnerRole,
    onread: OnReadOpts,
    connected: (hostEnd: Socket) => void,
  ): Promise<SpawnedProcess>;
  /** A runner's number, once it has said hello. */
  runnerPid(started: SpawnedProcess): number;
  /** A runner's own number for itself. */
  pidInside(pid: number): number;
  /** Whether the kernel says that the layer stands around this process, where it says that. */
  isConfined(pid: number): boolean;
  /** Whether the layer answered a canary as it must. */
  refused(report: OutsideReport): boolean;
  close(): Promise<void>;
}

/**
 * Opens the launcher with the layer that is wanted, or with the first that works: bubblewrap,
 * Landlock, none. Its socket lives in a new folder of mode 0700 below the temporary folder.
 *
 * @throws {@link SandboxError} (`SANDBOX_ISOLATION`): the wanted layer does not work here
 */
export async function openLauncher(
  launch: Launch,
  wanted?: OuterLayer | "none",
  deps: LauncherDeps = DEFAULT_DEPS,
): Promise<Launcher> {
  const folder = mkdtempSync(join(tmpdir(), "glovebox-"));
  const { path, release } = shortPath(folder);
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true });
  process.once("exit", removeFolder);
  const tidy = (): void => {
    process.off("exit", removeFolder);
    release();
    removeFolder();
  };
  try {
    const surroundings = await surround(path, launch, wanted, deps);
    return launcherOf(path, launch, surroundings, tidy);
  } catch (error) {
    tidy();
    throw error;
  }
}

/** What was found to stand around runners. */
interface Surroundings extends Pick<Launcher, "layer" | "absent" | "refused"> {
  readonly spawner: Spawner;
  /** The command before Node's. */
  readonly prefix: readonly string[];
}

async function surround(
  socketPath: string,
  launch: Launch,
  wanted: OuterLayer | "none" | undefined,
  { findBubblewrap: find, bubblewrapStartMs }: LauncherDeps,
): Promise<Surroundings> {
  const absent: Partial<Record<OuterLayer, string>> = {};
  const readable = readableFiles(launch);
  const isWanted = (layer: OuterLayer): boolean => {
    if (process.platform !== "linux") absent[layer] = `there is none on ${process.platform}`;
    else if (wanted === undefined || wanted === layer) return true;
    else absent[layer] = `the options want ${wanted}`;
    return false;
  };
  if (isWanted("bubblewrap")) {
    const spec = { readable, becomesUser: runnerUser(launch) !== undefined };
    const found = find();
    const problem = "path" in found ? await probeBubblewrap(found.path, spec) : found.absent;
    if ("path" in found && problem === undefined) {
      absent.landlock = "it would forbid bubblewrap its mounts";
      const prefix = [found.path, ...bubblewrapArguments(spec), "--info-fd", "3", "--"];
      const refused = ({ proc }: OutsideReport): boolean => proc === -errno.ENOENT;
      const spawner = await SpawnPoint.open(socketPath, bubblewrapStartMs);
      return { layer: "bubblewrap", absent, refused, spawner, prefix };
    }
    absent.bubblewrap = problem ?? "";
  }
  if (isWanted("landlock")) {
    const koffi = neededKoffi();
    const opened = await openLandlockSpawner({
      socketPath,
      readable: [...readable, NO_CONFIGURATION],
      ...(koffi === undefined ? {} : { koffiEntry: koffi.entry }),
    });
    if (typeof opened !== "string") {
      const { spawner, version } = opened;
      const refused = ({ root, proc, port }: OutsideReport): boolean =>
        [root, proc, ...(version >= LANDLOCK_WITH_PORTS ? [port] : [])].every(
          (answer) => answer === -errno.EACCES,
        );
      return { layer: "landlock", absent, refused, spawner, prefix: [] };
    }
    absent.landlock = opened;
  }
  if (wanted === "bubblewrap" || wanted === "landlock") {
    throw new SandboxError("SANDBOX_ISOLATION", {
      message: `the outer layer ${wanted} does not work here: ${absent[wanted]}`,
      details: { wanted, reason: absent[wanted] ?? null },
    });
  }
  const spawner = await SpawnPoint.open(socketPath);
  return { layer: undefined, absent, refused: () => false, spawner, prefix: [] };
}

function launcherOf(
  path: string,
  launch: Launch,
  { layer, absent, refused, spawner, prefix }: Surroundings,
  tidy: () => void,
): Launcher {
  const throughBubblewrap = layer === "bubblewrap";
  const parentPid = throughBubblewrap ? INIT_INSIDE : process.pid;
  const startOne = async (
    role: RunnerRole,
    onread: OnReadOpts,
    connected: (hostEnd: Socket) => void,
  ): Promise<Starting> => {
    const hostEnd = connect({ path, onread });
    const gone = new AbortController();
    hostEnd.once("close", () => gone.abort());
    await once(hostEnd, "connect");
    connected(hostEnd);
    const [file = "", ...args] = [...prefix, ...runnerCommand(role, parentPid, launch)];
    // Only where it is sure to end with its host.
    const ownSession = canCallTheSystem();
    return spawner.spawn({ file, args, throughBubblewrap, ownSession }, gone.signal);
  };
  // One connection after the other, so that each process gets the other end of its own. How long one
  // takes to start is nothing to the others.
  let last: Promise<unknown> = Promise.resolve();
  return {
    layer,
    absent,
    refused,
    get isAlive() {
      return spawner.isAlive;
    },
    start(role, onread, connected) {
      const started = last.then(() => startOne(role, onread, connected));
      last = started.catch(() => undefined);
      return started.then(({ process: spawned }) => spawned);
    },
    runnerPid: ({ pid }) => (throughBubblewrap ? runnerBelow(pid) : pid),
    pidInside: (pid) => (throughBubblewrap ? RUNNER_INSIDE : pid),
    isConfined: (pid) => (throughBubblewrap ? isApart(pid) : layer !== undefined),
    async close() {
      await spawner.close();
      tidy();
    },
  };
}

/** A path that fits into a socket address, whatever TMPDIR is: through an open folder where needed. */
function shortPath(folder: string): { path: string; release: () => void } {
  const path = join(folder, "s");
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES) return { path, release: () => undefined };
  if (process.platform !== "linux") {
    throw new SandboxError("SANDBOX_BOOT_FAILED", {
      message: `the temporary folder's path is too long for a socket: set TMPDIR to at most ${MAX_SOCKET_PATH_BYTES - 20} bytes`,
    });
  }
  const descriptor = openSync(folder, "r");
  return { path: `/proc/self/fd/${descriptor}/s`, release: () => closeSync(descriptor) };
}
