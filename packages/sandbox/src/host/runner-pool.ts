/**
 * @module Warm runners: booted, locked, without a plugin. Handing one out takes microseconds where
 * booting takes 20–30 ms of CPU time; the pool refills itself afterwards. There are never more than
 * `maxRunners` processes: who wants one needs a lease first.
 */
import type { Clock } from "@glovebox/core/clock";

import { SandboxError } from "../errors.ts";
import {
  type IsolationLevel,
  type IsolationProof,
  levelOf,
  missingFor,
  reaches,
} from "../isolation-level.ts";
import { REFILL_DELAY_MS } from "../limits.ts";
import { type Applicant, type Lease, RunnerLeases } from "./runner-leases.ts";
import { canCallTheSystem } from "./runner-process.ts";
import type { Runner } from "./runner.ts";

/** What the pool needs to make a runner. */
export interface PoolOptions {
  /** Runners kept warm. */
  readonly size: number;
  /** Processes at once, warm ones included. */
  readonly maxRunners: number;
  readonly minimumIsolation: IsolationLevel;
  readonly clock: Clock;
  boot(): Promise<{ runner: Runner; proof: IsolationProof }>;
}

/** A runner with the right to it, which ends with the process. */
export interface LeasedRunner {
  readonly runner: Runner;
  readonly lease: Lease;
}

/** Keeps runners warm and hands them out by fair share. */
export class RunnerPool {
  readonly #options: PoolOptions;
  readonly #leases: RunnerLeases;
  readonly #warm: Runner[] = [];
  #booting = 0;
  readonly #takers: PromiseWithResolvers<Runner>[] = [];
  readonly #live = new Set<Runner>();
  readonly #boots = new Set<Promise<unknown>>();
  #closed = false;
  #refillTimer: NodeJS.Timeout | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#leases = new RunnerLeases(options.maxRunners, options.clock);
  }

  /** Runners that wait for a plugin. */
  get warm(): number {
    return this.#warm.length;
  }

  /** Runners that exist, with or without a plugin. */
  get live(): number {
    return this.#live.size;
  }

  /** Those who wait for a runner. */
  get waiting(): number {
    return this.#leases.waiting;
  }

  /**
   * Boots until the pool is full; resolves when it is, or when a boot fails.
   *
   * @throws {@link SandboxError} (`SANDBOX_BOOT_FAILED`, `SANDBOX_ISOLATION`)
   */
  async fill(): Promise<void> {
    const { size, maxRunners } = this.#options;
    const missing = size - this.#warm.length - this.#booting;
    const room = maxRunners - this.#live.size - this.#booting;
    const count = Math.max(0, Math.min(missing, room));
    await Promise.all(Array.from({ length: count }, () => this.#bootOne()));
  }

  /** Whether a runner could be taken without waiting for another to end. */
  isFree(applicant: Applicant): boolean {
    return this.#leases.isFree(applicant);
  }

  /**
   * A runner, when it is the applicant's turn: a warm one, or the next that has booted.
   *
   * @throws {@link SandboxError} (`SANDBOX_BOOT_FAILED`, `SANDBOX_ISOLATION`, `SANDBOX_CLOSED`,
   * `SANDBOX_QUEUE_FULL`)
   */
  async take(applicant: Applicant): Promise<LeasedRunner> {
    const lease = await this.#leases.apply(applicant);
    try {
      const runner = await this.#next();
      void runner.ended.then(() => lease.release());
      return { runner, lease };
    } catch (error) {
      lease.release();
      throw error;
    }
  }

  /** Ends every runner that this pool ever made, and waits until they are gone. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#refillTimer);
    const closed = new SandboxError("SANDBOX_CLOSED");
    this.#leases.close(closed);
    for (const taker of this.#takers.splice(0)) taker.reject(closed);
    for (const runner of this.#live) runner.kill(closed);
    await Promise.allSettled(this.#boots); // each is killed once it has booted
    await Promise.all([...this.#live].map((runner) => runner.ended));
  }

  #next(): Promise<Runner> {
    if (this.#closed) return Promise.reject(new SandboxError("SANDBOX_CLOSED"));
    const ready = this.#warm.shift();
    if (ready !== undefined) {
      this.#refill();
      return Promise.resolve(ready);
    }
    const taker = Promise.withResolvers<Runner>();
    this.#takers.push(taker);
    if (this.#booting < this.#takers.length) void this.#bootOne().catch(() => undefined);
    return taker.promise;
  }

  /** Later, so that the plugin which was just handed out its runner comes first. */
  #refill(): void {
    if (this.#refillTimer !== undefined || this.#closed) return;
    this.#refillTimer = setTimeout(() => {
      this.#refillTimer = undefined;
      void this.fill().catch(() => undefined);
    }, REFILL_DELAY_MS);
  }

  async #bootOne(): Promise<void> {
    this.#booting += 1;
    const boot = this.#options.boot();
    this.#boots.add(boot);
    try {
      const { runner, proof } = await boot;
      this.#live.add(runner);
      void runner.ended.then(() => this.#forget(runner));
      this.#offer(runner, proof);
    } catch (error) {
      this.#takers.shift()?.reject(error);
      throw error;
    } finally {
      this.#boots.delete(boot);
      this.#booting -= 1;
    }
  }

  #offer(runner: Runner, proof: IsolationProof): void {
    const problem = this.#closed
      ? new SandboxError("SANDBOX_CLOSED")
      : belowMinimum(proof, this.#options.minimumIsolation);
    if (problem !== undefined) {
      runner.kill(problem);
      throw problem;
    }
    const taker = this.#takers.shift();
    if (taker === undefined) this.#warm.push(runner);
    else {
      taker.resolve(runner);
      this.#refill();
    }
  }

  #forget(runner: Runner): void {
    this.#live.delete(runner);
    const at = this.#warm.indexOf(runner);
    if (at >= 0) this.#warm.splice(at, 1);
    // Also one that was waiting for a plugin can die, and there may be room now that was not before.
    this.#refill();
  }
}

/** The refusal of what does not reach the minimum; every runner is checked, not only the first. */
export function belowMinimum(
  proof: IsolationProof,
  minimum: IsolationLevel,
): SandboxError | undefined {
  const level = levelOf(proof);
  if (reaches(level, minimum)) return undefined;
  const missing = missingFor(minimum, proof);
  const advice = adviceOf(missing);
  return new SandboxError("SANDBOX_ISOLATION", {
    message: `runners reach the isolation level ${level}, and minimumIsolation is ${minimum}: ${missing.join(", ")} not shown${advice}`,
    details: { level, minimum, missing },
  });
}

function adviceOf(missing: readonly string[]): string {
  if (missing.includes("filtered") && process.platform === "linux" && !canCallTheSystem())
    return `; Node ${process.versions.node} filters system calls through koffi, which is not installed`;
  return "";
}
