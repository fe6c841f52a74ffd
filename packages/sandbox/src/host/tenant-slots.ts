/**
 * @module Which of a plugin's runners takes a call. A runner serves one tenant for life, unless the
 * options let tenants share (contract.md 2): one that has served a tenant ends before another is
 * served; nothing is wiped and reused.
 */
import { SandboxError } from "../errors.ts";
import type { Runner } from "./runner.ts";

/** A runner with the plugin in it, or on its way there. */
export interface Slot {
  tenant: string | undefined;
  /** Whether a call has fixed the tenant. */
  used: boolean;
  runner: Runner | undefined;
  starting: Promise<Runner> | undefined;
  /** Calls that wait for the start. */
  waiting: number;
}

/** How many runners there may be, and how one is made. */
export interface SlotOptions {
  readonly maxRunners: number;
  readonly runnersPerTenant: number;
  /** A runner with the plugin loaded. */
  start(): Promise<Runner>;
  /** A runner has ended. */
  onEnd(): void;
}

/** The runners of one plugin. */
export class TenantSlots {
  readonly #options: SlotOptions;
  readonly #slots: Slot[] = [];

  constructor(options: SlotOptions) {
    this.#options = options;
  }

  /** Runners that live or end right now. */
  get runners(): readonly Runner[] {
    return this.#slots.flatMap((slot) => slot.runner ?? []);
  }

  /** Calls that wait or run. */
  get pending(): number {
    return this.#slots.reduce((sum, slot) => sum + loadOf(slot), 0);
  }

  /** Takes in a runner that has no tenant yet. */
  add(runner: Runner): void {
    const slot: Slot = { tenant: undefined, used: false, runner, starting: undefined, waiting: 0 };
    this.#slots.push(slot);
    this.#adopt(slot, runner);
  }

  /**
   * The tenant's least busy runner, a new one where it may have more, or one in place of another
   * tenant's idle one; `undefined` when all serve other tenants.
   */
  choose(tenant: string | undefined): Slot | undefined {
    let best: Slot | undefined;
    let bestLoad = Number.POSITIVE_INFINITY;
    let count = 0;
    for (const slot of this.#slots) {
      if ((slot.used && slot.tenant !== tenant) || slot.runner?.usable === false) continue;
      count += 1;
      const load = loadOf(slot);
      if (load < bestLoad) [best, bestLoad] = [slot, load];
    }
    if (best === undefined || (bestLoad > 0 && count < this.#options.runnersPerTenant)) {
      best = this.#open(tenant) ?? best;
    }
    if (best !== undefined && !best.used) {
      best.tenant = tenant;
      best.used = true;
    }
    return best;
  }

  #open(tenant: string | undefined): Slot | undefined {
    // A process that was killed a moment ago takes no calls, and is no reason to refuse one.
    const taken = this.#slots.filter((slot) => slot.runner?.usable !== false).length;
    const full = taken >= this.#options.maxRunners;
    if (full && !this.#retireIdle(tenant)) return undefined;
    const slot: Slot = { tenant, used: true, runner: undefined, starting: undefined, waiting: 0 };
    this.#slots.push(slot);
    slot.starting = this.#start(slot);
    return slot;
  }

  #retireIdle(tenant: string | undefined): boolean {
    const idle = this.#slots.find(
      (slot) => slot.tenant !== tenant && slot.runner !== undefined && loadOf(slot) === 0,
    );
    if (idle === undefined) return false;
    this.#remove(idle);
    idle.runner?.kill(new SandboxError("SANDBOX_CLOSED"));
    return true;
  }

  async #start(slot: Slot): Promise<Runner> {
    try {
      const runner = await this.#options.start();
      this.#adopt(slot, runner);
      return runner;
    } catch (error) {
      this.#remove(slot);
      throw error;
    } finally {
      slot.starting = undefined;
    }
  }

  #adopt(slot: Slot, runner: Runner): void {
    slot.runner = runner;
    void runner.ended.then(() => {
      this.#remove(slot);
      this.#options.onEnd();
    });
  }

  #remove(slot: Slot): void {
    const at = this.#slots.indexOf(slot);
    if (at >= 0) this.#slots.splice(at, 1);
  }
}

function loadOf(slot: Slot): number {
  return slot.waiting + (slot.runner?.pending ?? 0);
}
