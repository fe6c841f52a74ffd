/**
 * @module Which of a plugin's runners takes a call. A runner serves one tenant for life, unless the
 * options let tenants share (contract.md 2): one that has served a tenant ends before another is
 * served; nothing is wiped and reused.
 */
import type { LeasedRunner } from "./runner-pool.ts";
import type { Runner } from "./runner.ts";

/** A runner with the plugin in it, or on its way there. */
export interface Slot {
  tenant: string | undefined;
  /** Whether a call has fixed the tenant. */
  used: boolean;
  leased: LeasedRunner | undefined;
  starting: Promise<Runner> | undefined;
  /** Calls that wait for the start, and the bytes of their input. */
  waiting: number;
  waitingBytes: number;
}

/** How many runners there may be, and how one is made. */
export interface SlotOptions {
  readonly runnersPerTenant: number;
  /** Whether one more could be had without waiting. */
  isFree(tenant: string | undefined): boolean;
  /** A runner with the plugin loaded, when it is the tenant's turn. */
  start(tenant: string | undefined): Promise<LeasedRunner>;
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
    return this.#slots.flatMap(({ leased }) => leased?.runner ?? []);
  }

  /** Whether no runner is there or on its way. */
  get isEmpty(): boolean {
    return this.#slots.length === 0;
  }

  /** Calls that wait or run. */
  get pending(): number {
    return this.#slots.reduce((sum, slot) => sum + loadOf(slot), 0);
  }

  /** Takes in a runner that has no tenant yet. */
  add(leased: LeasedRunner): void {
    const slot = newSlot(undefined, false);
    this.#slots.push(slot);
    this.#adopt(slot, leased);
  }

  /** The tenant's least busy runner, or a new one where it may have more or has none. */
  choose(tenant: string | undefined): Slot {
    let best: Slot | undefined;
    let bestLoad = Number.POSITIVE_INFINITY;
    let count = 0;
    for (const slot of this.#slots) {
      if ((slot.used && slot.tenant !== tenant) || slot.leased?.runner.usable === false) continue;
      count += 1;
      const load = loadOf(slot);
      if (load < bestLoad) [best, bestLoad] = [slot, load];
    }
    const mayOpen = bestLoad > 0 && count < this.#options.runnersPerTenant;
    if (best === undefined || (mayOpen && this.#options.isFree(tenant))) return this.#open(tenant);
    if (!best.used) {
      best.tenant = tenant;
      best.used = true;
      best.leased?.lease.assign(tenant);
    }
    return best;
  }

  #open(tenant: string | undefined): Slot {
    const slot = newSlot(tenant, true);
    this.#slots.push(slot);
    slot.starting = this.#start(slot);
    return slot;
  }

  async #start(slot: Slot): Promise<Runner> {
    try {
      const leased = await this.#options.start(slot.tenant);
      this.#adopt(slot, leased);
      return leased.runner;
    } catch (error) {
      this.#remove(slot);
      throw error;
    } finally {
      slot.starting = undefined;
    }
  }

  #adopt(slot: Slot, leased: LeasedRunner): void {
    const { runner, lease } = leased;
    slot.leased = leased;
    lease.hold({
      idleSinceMs: () => (slot.waiting > 0 ? undefined : runner.idleSinceMs),
      giveBack: () => runner.retire("after-this"),
    });
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

function newSlot(tenant: string | undefined, used: boolean): Slot {
  return { tenant, used, leased: undefined, starting: undefined, waiting: 0, waitingBytes: 0 };
}

function loadOf(slot: Slot): number {
  return slot.waiting + (slot.leased?.runner.pending ?? 0);
}
