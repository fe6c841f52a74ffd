/**
 * @module The plugins of one sandbox, and one timer that sends to sleep who has had no call for long:
 * thousands of plugins can be there when few of them work at a time.
 */
import type { Clock, Timer } from "@glovebox/core/clock";

import type { PluginGeneration } from "./plugin-generation.ts";

/** Looks per sleeping time: a plugin sleeps at most a quarter of it too late. */
const LOOKS = 4;

/** Who is there. */
export class PluginRegistry {
  readonly #sleepAfterMs: number;
  readonly #clock: Clock;
  readonly #plugins = new Set<PluginGeneration>();
  #timer: Timer | undefined;

  /** `sleepAfterMs` 0: nobody is sent to sleep. */
  constructor(sleepAfterMs: number, clock: Clock) {
    this.#sleepAfterMs = sleepAfterMs;
    this.#clock = clock;
    if (sleepAfterMs > 0) this.#wait();
  }

  add(plugin: PluginGeneration): void {
    this.#plugins.add(plugin);
  }

  remove(plugin: PluginGeneration): void {
    this.#plugins.delete(plugin);
  }

  /** Sends nobody to sleep any more. */
  close(): void {
    this.#timer?.cancel();
    this.#plugins.clear();
  }

  #wait(): void {
    this.#timer = this.#clock.setTimer(this.#sleepAfterMs / LOOKS, () => {
      const untilMs = this.#clock.monotonicMs() - this.#sleepAfterMs;
      for (const plugin of this.#plugins) {
        const { idleSinceMs } = plugin;
        if (idleSinceMs !== undefined && idleSinceMs <= untilMs) void plugin.sleep();
      }
      this.#wait();
    });
  }
}
