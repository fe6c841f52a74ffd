import { expect, test } from "vitest";

import { CallWatch } from "../../src/host/call-watch.ts";

const LIMITS = { cpuMs: 5, wallMs: 1e6, hostCalls: 0, answerBytes: 0 };

test("a limit is exceeded when the count of the stopped process says so", async () => {
  const plugin = new FakeProcess({ visibleMs: 0, hiddenMs: 6 });
  plugin.begin();
  expect(await plugin.ended.promise).toBe(6);
  expect(plugin.said).toEqual(["stopped"]);
});

test("a process with time left is set going again, and stopped again later", async () => {
  const plugin = new FakeProcess({ visibleMs: 0, hiddenMs: 3 });
  plugin.whenStopped = () => {
    plugin.hiddenMs = 1; // until it is stopped the next time
  };
  plugin.begin();
  expect(await plugin.ended.promise).toBe(5);
  expect(plugin.said).toEqual(["stopped", "going", "stopped", "going", "stopped"]);
});

test("an answer that comes while the process stops ends the judgement, and the process goes on", async () => {
  const plugin = new FakeProcess({ visibleMs: 0, hiddenMs: 6 });
  plugin.whenStopped = () => {
    plugin.answers += 1;
    plugin.startedCpuMs += 6; // the next command's
    plugin.begin();
  };
  plugin.begin();
  await expect.poll(() => plugin.said).toContain("going");
  plugin.watch.stop();
  expect(plugin.said.slice(0, 2)).toEqual(["stopped", "going"]);
  expect(plugin.answers).toBeGreaterThan(0);
});

test("without a trusted clock wall time counts, and nothing is stopped", async () => {
  const plugin = new FakeProcess({ visibleMs: undefined, hiddenMs: 0 });
  plugin.begin();
  expect(await plugin.ended.promise).toBeGreaterThanOrEqual(5);
  expect(plugin.said).toEqual([]);
});

/** A command in a process whose count lacks something while it runs. */
class FakeProcess {
  visibleMs: number | undefined;
  hiddenMs: number;
  answers = 0;
  startedCpuMs = 0;
  whenStopped: () => void = () => undefined;
  readonly said: string[] = [];
  readonly ended = Promise.withResolvers<number>();
  readonly watch: CallWatch;
  #startedMs = 0;

  constructor({ visibleMs, hiddenMs }: { visibleMs: number | undefined; hiddenMs: number }) {
    this.visibleMs = visibleMs;
    this.hiddenMs = hiddenMs;
    this.watch = new CallWatch({
      current: () => ({
        limits: LIMITS,
        startedMs: this.#startedMs,
        startedCpuMs: this.startedCpuMs,
      }),
      progress: () => this.answers,
      readCpuMs: () => this.visibleMs,
      process: this,
      exceeded: (_limit, usedMs) => this.ended.resolve(usedMs),
    });
  }

  pause(): boolean {
    return this.visibleMs !== undefined;
  }

  get isPaused(): boolean {
    this.visibleMs = (this.visibleMs ?? 0) + this.hiddenMs;
    this.said.push("stopped");
    this.whenStopped();
    return true;
  }

  resume(): void {
    this.said.push("going");
  }

  begin(): void {
    this.#startedMs = performance.now();
    this.watch.start(LIMITS, this.#startedMs);
  }
}
