/**
 * @module Where runners' processes are started: a Unix socket on which the host connects to itself,
 * and whose accepted end becomes a process's standard input and output. Documented API only. It runs
 * on the host's thread, or on one of its own that has given up what its children shall not have.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { constants } from "node:os";
import type { Readable } from "node:stream";

import { BUBBLEWRAP_START_MS, MAX_STDERR_CHARACTERS } from "../limits.ts";

/** What is started. */
export interface SpawnCommand {
  readonly file: string;
  readonly args: readonly string[];
  /**
   * Whether the file is bubblewrap, which stands between: it says which process it has started, and
   * ends with that one's end as its own exit code.
   */
  readonly throughBubblewrap: boolean;
  /**
   * Whether it gets a session of its own, so that a terminal's Ctrl-C, which reaches every process of
   * the host's group, leaves it to the host to end it.
   */
  readonly ownSession: boolean;
}

/** How a process ended. */
export interface ProcessEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A started process. */
export interface SpawnedProcess {
  /** Behind bubblewrap, of the init of its namespace; 0 = it could not be started. */
  readonly pid: number;
  /** What it wrote to standard error so far, at most {@link MAX_STDERR_CHARACTERS}. */
  lastWords(): string;
  /** Ends it at once; safe to repeat. */
  kill(): void;
  /** Resolves when it has ended and its output was read. */
  readonly ended: Promise<ProcessEnd>;
}

/** A process that has its connection. */
export interface Starting {
  readonly process: Promise<SpawnedProcess>;
}

/** What OpenSSL reads in place of its configuration; without it, it ends the process. */
export const NO_CONFIGURATION = "/dev/null";

/** Of fcntl.h, on x86-64 and arm64; fdinfo shows it among the flags (proc_pid_fdinfo(5)). */
const O_CLOEXEC = 0o2000000;

/** Descriptor on which bubblewrap says what it has started; it does not hand it on. */
const INFO_DESCRIPTOR = 3;

/** Starts processes on the connections that come to a socket, in their order. */
export class SpawnPoint {
  readonly #server: Server;
  readonly #nowhere = openSync(NO_CONFIGURATION, "r+");
  readonly #handedOn = descriptorsHandedOn();
  readonly #accepted: Socket[] = [];
  readonly #takers: ((socket: Socket) => void)[] = [];
  readonly #startMs: number;

  private constructor(startMs: number) {
    this.#startMs = startMs;
    this.#server = createServer({ pauseOnConnect: true }, (socket) => {
      const take = this.#takers.shift();
      if (take === undefined) this.#accepted.push(socket);
      else take(socket);
    });
  }

  /** Listens on a path in a folder that nobody else can enter. `startMs`: what bubblewrap has to start a process. */
  static async open(path: string, startMs: number = BUBBLEWRAP_START_MS): Promise<SpawnPoint> {
    const point = new SpawnPoint(startMs);
    point.#server.listen(path);
    await once(point.#server, "listening");
    point.#server.unref();
    return point;
  }

  readonly isAlive = true;

  /**
   * Starts a process on the next connection, and answers once it has that. `gone`: the other end has
   * closed. The process rejects where bubblewrap does not say in time what it has started.
   */
  async spawn(command: SpawnCommand, gone: AbortSignal): Promise<Starting> {
    const runnerEnd = await this.#nextConnection(gone);
    try {
      return { process: this.#start(command, runnerEnd) };
    } finally {
      runnerEnd.destroy();
    }
  }

  async #start(command: SpawnCommand, runnerEnd: Socket): Promise<SpawnedProcess> {
    // As descriptors 0 and 1 the socket is blocking in the child; libuv leaves others as they are.
    const stdio: (Socket | "pipe" | "ignore" | number)[] = [runnerEnd, runnerEnd, "pipe"];
    for (const descriptor of this.#handedOn) {
      while (stdio.length < descriptor) stdio.push("ignore");
      stdio[descriptor] = this.#nowhere;
    }
    if (command.throughBubblewrap) stdio[INFO_DESCRIPTOR] = "pipe";
    const child = spawn(command.file, command.args, {
      stdio,
      // OpenSSL would read its configuration, which the permission model refuses noisily.
      env: { OPENSSL_CONF: NO_CONFIGURATION, MALLOC_ARENA_MAX: "1" },
      cwd: "/",
      detached: command.ownSession,
    });
    const ended = new Promise<ProcessEnd>((resolve) => {
      child.once("close", (exitCode, signal) => resolve(endOf(command, exitCode, signal)));
      child.once("error", () => resolve({ exitCode: null, signal: null }));
    });
    return {
      lastWords: keepLastWords(child),
      kill: () => void child.kill("SIGKILL"),
      ended,
      pid:
        child.pid !== undefined && command.throughBubblewrap
          ? await initOfBubblewrap(child, this.#startMs)
          : (child.pid ?? 0),
    };
  }

  async close(): Promise<void> {
    for (const socket of this.#accepted.splice(0)) socket.destroy();
    closeSync(this.#nowhere);
    this.#server.close();
    await once(this.#server, "close");
  }

  #nextConnection(gone: AbortSignal): Promise<Socket> {
    const ready = this.#accepted.shift();
    if (ready !== undefined) return Promise.resolve(ready);
    return new Promise((resolve, reject) => {
      // Without a descriptor to spare libuv drops connections and says nothing: who waited on would take
      // the next one, which is another runner's.
      const drop = (): void => {
        this.#takers.splice(this.#takers.indexOf(take), 1);
        reject(new Error("its connection was dropped before it was accepted"));
      };
      const take = (socket: Socket): void => {
        gone.removeEventListener("abort", drop);
        resolve(socket);
      };
      this.#takers.push(take);
      if (gone.aborted) drop();
      else gone.addEventListener("abort", drop);
    });
  }
}

/**
 * Descriptors that every child would get: whoever started the host left them open, and Node closes
 * only low numbers and what it opens itself. A child gets /dev/null in their place.
 */
function descriptorsHandedOn(): readonly number[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc/self/fd")
    .map(Number)
    .filter((descriptor) => descriptor > 2 && !isClosedOnExec(descriptor))
    .sort((a, b) => a - b);
}

function isClosedOnExec(descriptor: number): boolean {
  try {
    const info = readFileSync(`/proc/self/fdinfo/${descriptor}`, "latin1");
    return (Number.parseInt(/^flags:\s+(\d+)/m.exec(info)?.[1] ?? "", 8) & O_CLOEXEC) !== 0;
  } catch {
    return true; // it was the listing's own
  }
}

/** Shells and bubblewrap say 128 and the signal's number where a process was ended by one. */
const SIGNAL_BASE = 128;

function endOf(
  { throughBubblewrap }: SpawnCommand,
  exitCode: number | null,
  signal: NodeJS.Signals | null,
): ProcessEnd {
  if (!throughBubblewrap || exitCode === null || exitCode <= SIGNAL_BASE)
    return { exitCode, signal };
  const names = Object.entries(constants.signals) as [NodeJS.Signals, number][];
  const found = names.find(([, number]) => number === exitCode - SIGNAL_BASE);
  return found === undefined ? { exitCode, signal } : { exitCode: null, signal: found[0] };
}

/** One object, as text in several lines; it is whole when the descriptor is closed. */
async function initOfBubblewrap(child: ChildProcess, startMs: number): Promise<number> {
  const info = child.stdio[INFO_DESCRIPTOR] as Readable;
  const late = new Error(`bubblewrap has started nothing in ${startMs} milliseconds`);
  // Whatever it has started by then may hold the descriptor open.
  const deadline = setTimeout(() => info.destroy(late), startMs);
  try {
    let text = "";
    for await (const part of info.setEncoding("utf8")) text += part;
    return text === "" ? 0 : (JSON.parse(text) as { "child-pid": number })["child-pid"];
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  } finally {
    clearTimeout(deadline);
  }
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
