/**
 * @module What a process has used so far, read from the kernel and not from the process. Where there
 * is no trusted clock, time is wall time and memory is unknown. Hot path: see bench `calls`.
 */
import {
  type CpuClock,
  openCpuClock,
  openResidentMemory,
  type ResidentMemory,
} from "@glovebox/linux";

import { MEMORY_LOOK_CALLS } from "../limits.ts";
import { NOT_RUN } from "./call-outcome.ts";
import type { ExchangeUsage } from "./exchange.ts";
import { MemoryWatch, type WatchedMemory } from "./memory-watch.ts";
import type { RunnerUse } from "./recycle-policy.ts";

/** The meters of one runner. */
export class RunnerMeters implements RunnerUse, Disposable {
  #pid = 0;
  #cpuClock: CpuClock | undefined;
  #memory: ResidentMemory | undefined;
  #memoryWatch: MemoryWatch | undefined;
  #batch = 0;
  /** CPU time at the last reading, milliseconds. */
  cpuMs = 0;
  /** Resident memory a few commands ago, bytes. */
  residentBytes = 0;
  /** Commands that were carried out. */
  calls = 0;

  /** To be called once the process lives. */
  open(pid: number): void {
    if (process.platform !== "linux") return;
    this.#pid = pid;
    this.#cpuClock = openCpuClock(pid);
    this.#memory = openResidentMemory(pid);
    this.cpuMs = this.#cpuClock.readMs();
  }

  /** Whether CPU time can be trusted here. */
  get hasCpuClock(): boolean {
    return this.#cpuClock !== undefined;
  }

  /** CPU time now, milliseconds; `undefined` without a clock. */
  readCpuMs(): number | undefined {
    return this.#cpuClock?.readMs();
  }

  /** Private data that is mapped now, bytes; `undefined` where that cannot be known. */
  get mappedDataBytes(): number | undefined {
    return this.#memory?.readDataBytes();
  }

  /** Begins to stop the process, which makes its CPU time exact; `false` without a clock, or if it is gone. */
  pause(): boolean {
    return !this.isPaused && this.#signal("SIGSTOP");
  }

  /** Whether the process has stopped, or is gone. */
  get isPaused(): boolean {
    return this.#cpuClock?.isStopped() ?? true;
  }

  /** Sets a stopped process going again. */
  resume(): void {
    this.#signal("SIGCONT");
  }

  /** What a command has used since it began; one that never began has `startedMs` 0. */
  usageSince(begun: { readonly startedMs: number; readonly startedCpuMs: number }): ExchangeUsage {
    if (begun.startedMs === 0) return NOT_RUN;
    const cpuMs = this.readCpuMs();
    return {
      wallMs: performance.now() - begun.startedMs,
      cpuMs: cpuMs === undefined ? null : cpuMs - begun.startedCpuMs,
    };
  }

  /** Looks at the resident memory from now on, where it can be known. */
  watchMemory(maxBytes: number, watched: Omit<WatchedMemory, "readBytes">): void {
    const memory = this.#memory;
    if (memory === undefined) return;
    this.#memoryWatch = new MemoryWatch({ ...watched, readBytes: () => memory.readBytes() });
    this.#memoryWatch.start(maxBytes, performance.now());
  }

  /** To be called when a command begins: it is looked at more often. */
  lookSoon(nowMs: number): void {
    this.#memoryWatch?.hasten(nowMs);
  }

  /**
   * Notes that a command was carried out, and answers the CPU time now. Answers that arrived in one
   * `batch` share one reading: the first of them bears what all have used.
   */
  noteAnswer(batch: number): number {
    this.calls += 1;
    if (this.calls % MEMORY_LOOK_CALLS === 0) this.residentBytes = this.#memory?.readBytes() ?? 0;
    if (this.#cpuClock !== undefined && batch !== this.#batch) {
      this.#batch = batch;
      this.cpuMs = this.#cpuClock.readMs();
    }
    return this.cpuMs;
  }

  #signal(signal: "SIGSTOP" | "SIGCONT"): boolean {
    try {
      return this.#cpuClock !== undefined && process.kill(this.#pid, signal);
    } catch {
      return false;
    }
  }

  [Symbol.dispose](): void {
    this.#memoryWatch?.stop();
    this.#cpuClock?.[Symbol.dispose]();
    this.#memory?.[Symbol.dispose]();
  }
}
