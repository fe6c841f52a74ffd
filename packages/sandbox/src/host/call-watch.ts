/**
 * @module Ends a command that uses more CPU or wall time than it may, with one lazy timer per
 * runner: it sleeps for what is left of the tighter limit, so that a short call costs no wake-up.
 * CPU time is the kernel's count of the runner (a plugin cannot forge it); it never exceeds wall
 * time, which is why sleeping for the remaining CPU budget never wakes too late.
 *
 * The kernel brings the count of a running process up to date at its clock ticks only, up to ten
 * milliseconds apart. Close to the limit the watch therefore stops the process for a moment
 * (SIGSTOP), which makes the count exact, and sets it going again if it has time left.
 *
 * A host whose event loop was late must not blame the plugin for replies that it has not read yet:
 * before it acts, the watch lets the poll phase run once and looks whether there was progress.
 */
import type { ExchangeLimits } from "./exchange.ts";

/** A process that can be stopped for a moment. */
export interface Stoppable {
  /** Begins to stop it; answers `false` where that is impossible. */
  pause(): boolean;
  /** Whether it has stopped. */
  readonly isPaused: boolean;
  /** Sets it going again. */
  resume(): void;
}

/** What the watch reads of its runner, and does to it. */
export interface Watched {
  /** The command that runs now. */
  current():
    | { readonly limits: ExchangeLimits; readonly startedMs: number; readonly startedCpuMs: number }
    | undefined;
  /** Number of answers so far. */
  progress(): number;
  /** CPU time of the runner so far, milliseconds; `undefined` where there is no trusted clock. */
  readCpuMs(): number | undefined;
  readonly process: Stoppable;
  /** The limit that was exceeded and what was used. */
  exceeded(limit: "cpu" | "wall", usedMs: number): void;
}

/** What timers know, milliseconds: they come up to so much too late. */
const TIMER_RESOLUTION_MS = 1;

/** Most CPU time of a running process that its count may lack, milliseconds: a tick of the slowest clock. */
const HIDDEN_CPU_MS = 10;

/** Longest time between two looks at a process that is close to its limit and does not run, milliseconds. */
const MAX_BACK_OFF_MS = 4;

/** Turns of the event loop in which a process usually has stopped; afterwards it is waited for by timer. */
const PAUSE_TURNS = 10;

interface Finding {
  readonly limit: "cpu" | "wall" | undefined;
  readonly usedMs: number;
  readonly cpuMs: number;
  readonly cpuLeftMs: number;
  readonly wallLeftMs: number;
}

/** One runner's timer. */
export class CallWatch {
  readonly #watched: Watched;
  #timer: NodeJS.Timeout | undefined;
  #turn: NodeJS.Immediate | undefined;
  #wakesAtMs = Number.POSITIVE_INFINITY;
  /** The process stops or is judged: nothing else may be begun until that is over. */
  #isJudging = false;
  #exactCpuMs = 0;
  #backOffMs = 0;

  constructor(watched: Watched) {
    this.#watched = watched;
  }

  /** To be called when a command begins. */
  start(limits: ExchangeLimits, nowMs: number): void {
    const sleepMs = Math.min(limits.cpuMs, limits.wallMs);
    if (!this.#isJudging && nowMs + sleepMs < this.#wakesAtMs) this.#sleep(sleepMs, nowMs);
  }

  /** For a process that is being ended; one that has stopped stays so. */
  stop(): void {
    this.#isJudging = false;
    this.#clear();
  }

  #clear(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#turn);
    this.#wakesAtMs = Number.POSITIVE_INFINITY;
  }

  /** Wakes so much earlier, to wait for the rest in turns of the event loop. */
  #sleep(ms: number, nowMs: number, earlierMs = TIMER_RESOLUTION_MS): void {
    this.#clear();
    this.#wakesAtMs = nowMs + ms;
    const timerMs = Math.floor(ms - earlierMs);
    if (timerMs >= TIMER_RESOLUTION_MS) this.#timer = setTimeout(this.#wake, timerMs);
    else this.#turn = setImmediate(this.#wake);
  }

  readonly #wake = (): void => {
    const nowMs = performance.now();
    const current = this.#watched.current();
    if (current === undefined) {
      this.#clear();
      return;
    }
    // The timer may be an earlier command's, and it came a little early.
    const { limits, startedMs } = current;
    const dueMs = Math.max(this.#wakesAtMs, startedMs + Math.min(limits.cpuMs, limits.wallMs));
    if (nowMs < dueMs) this.#sleep(dueMs - nowMs, nowMs);
    else this.#look(nowMs);
  };

  #look(nowMs: number): void {
    this.#clear();
    const found = this.#inspect(nowMs);
    if (found === undefined) return;
    const { limit, cpuLeftMs, wallLeftMs } = found;
    if (limit === undefined && cpuLeftMs > HIDDEN_CPU_MS) {
      this.#sleep(Math.min(cpuLeftMs - HIDDEN_CPU_MS, wallLeftMs), nowMs);
      return;
    }
    this.#isJudging = true;
    const progress = this.#watched.progress();
    if (limit === undefined && this.#watched.process.pause()) this.#whenPaused(progress, 0);
    else this.#turn = setImmediate(() => this.#judge(progress));
  }

  #whenPaused(progress: number, turns: number): void {
    const again = (): void => {
      if (!this.#watched.process.isPaused) this.#whenPaused(progress, turns + 1);
      // What it answered before it stopped is read in the next turn.
      else this.#turn = setImmediate(() => this.#judge(progress));
    };
    if (turns < PAUSE_TURNS) this.#turn = setImmediate(again);
    else this.#timer = setTimeout(again, TIMER_RESOLUTION_MS);
  }

  #judge(progress: number): void {
    this.#isJudging = false;
    const nowMs = performance.now();
    const found = this.#inspect(nowMs);
    const isSame = this.#watched.progress() === progress;
    if (isSame && found?.limit !== undefined) {
      this.#watched.exceeded(found.limit, found.usedMs);
      return;
    }
    this.#watched.process.resume();
    const current = this.#watched.current();
    // It has not run all the time: it will hardly have used the rest when a timer comes too late.
    if (isSame && found !== undefined) this.#sleep(this.#restOf(found), nowMs, 0);
    else if (current !== undefined) this.start(current.limits, nowMs);
  }

  /** One that waits for its host is not stopped each time that it could have used what is left. */
  #restOf({ cpuMs, cpuLeftMs, wallLeftMs }: Finding): number {
    const hasRun = cpuMs !== this.#exactCpuMs;
    this.#exactCpuMs = cpuMs;
    this.#backOffMs = hasRun ? 0 : Math.min(2 * this.#backOffMs + 1, MAX_BACK_OFF_MS);
    return Math.min(Math.max(cpuLeftMs, this.#backOffMs), wallLeftMs);
  }

  #inspect(nowMs: number): Finding | undefined {
    const current = this.#watched.current();
    if (current === undefined) return undefined;
    const { limits, startedMs, startedCpuMs } = current;
    const wallMs = nowMs - startedMs;
    const cpuNowMs = this.#watched.readCpuMs();
    const cpuMs = cpuNowMs === undefined ? wallMs : cpuNowMs - startedCpuMs;
    const cpuLeftMs = limits.cpuMs - cpuMs;
    const wallLeftMs = limits.wallMs - wallMs;
    const limit = cpuLeftMs <= 0 ? "cpu" : wallLeftMs <= 0 ? "wall" : undefined;
    return { limit, usedMs: limit === "wall" ? wallMs : cpuMs, cpuMs, cpuLeftMs, wallLeftMs };
  }
}
