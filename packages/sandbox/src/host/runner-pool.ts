/**
 * @module Warm runners: booted, locked, without a plugin. Handing one out takes microseconds where
 * booting takes 20–30 ms of CPU time; the pool refills itself afterwards.
 */
import { SandboxError } from "../errors.ts";
import { type IsolationLevel, reaches } from "../isolation-level.ts";
import { REFILL_DELAY_MS } from "../limits.ts";
import type { Runner } from "./runner.ts";

/** What the pool needs to make a runner. */
export interface PoolOptions {
  /** Runners kept warm. */
  readonly size: number;
  readonly minimumIsolation: IsolationLevel;
  boot(): Promise<{ runner: Runner; level: IsolationLevel }>;
}

/** Keeps runners warm and hands them out, first come, first served. */
export class RunnerPool {
  readonly #options: PoolOptions;
  readonly #warm: Runner[] = [];
  #booting = 0;
  readonly #takers: PromiseWithResolvers<Runner>[] = [];
  readonly #live = new Set<Runner>();
  #closed = false;
  #refillTimer: NodeJS.Timeout | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Runners that wait for a plugin. */
  get warm(): number {
    return this.#warm.length;
  }

  /** Runners that exist, with or without a plugin. */
  get live(): number {
    return this.#live.size;
  }

  /**
   * Boots until the pool is full; resolves when it is, or when a boot fails.
   *
   * @throws {@link SandboxError} (`SANDBOX_BOOT_FAILED`, `SANDBOX_ISOLATION`)
   */
  async fill(): Promise<void> {
    const missing = this.#options.size - this.#warm.length - this.#booting;
    await Promise.all(Array.from({ length: Math.max(0, missing) }, () => this.#bootOne()));
  }

  /**
   * A warm runner, or the next one that has booted.
   *
   * @throws {@link SandboxError} (`SANDBOX_BOOT_FAILED`, `SANDBOX_ISOLATION`, `SANDBOX_CLOSED`)
   */
  async take(): Promise<Runner> {
    if (this.#closed) throw new SandboxError("SANDBOX_CLOSED");
    const ready = this.#warm.shift();
    if (ready !== undefined) {
      this.#refill();
      return ready;
    }
    const taker = Promise.withResolvers<Runner>();
    this.#takers.push(taker);
    if (this.#booting < this.#takers.length) void this.#bootOne().catch(() => undefined);
    return taker.promise;
  }

  /** Ends every runner that this pool ever made, and waits until they are gone. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#refillTimer);
    const closed = new SandboxError("SANDBOX_CLOSED");
    for (const taker of this.#takers.splice(0)) taker.reject(closed);
    const all = [...this.#live];
    for (const runner of all) runner.kill(closed);
    await Promise.all(all.map((runner) => runner.ended));
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
    try {
      const { runner, level } = await this.#options.boot();
      this.#live.add(runner);
      void runner.ended.then(() => this.#forget(runner));
      this.#offer(runner, level);
    } catch (error) {
      this.#takers.shift()?.reject(error);
      throw error;
    } finally {
      this.#booting -= 1;
    }
  }

  #offer(runner: Runner, level: IsolationLevel): void {
    const problem = this.#closed
      ? new SandboxError("SANDBOX_CLOSED")
      : belowMinimum(level, this.#options.minimumIsolation);
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
  }
}

/** The refusal of a level that is too low; every runner is checked, not only the first. */
export function belowMinimum(
  level: IsolationLevel,
  minimum: IsolationLevel,
): SandboxError | undefined {
  if (reaches(level, minimum)) return undefined;
  return new SandboxError("SANDBOX_ISOLATION", {
    message: `runners reach the isolation level ${level}, and minimumIsolation is ${minimum}`,
    details: { level, minimum },
  });
}
