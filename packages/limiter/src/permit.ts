/**
 * @module The right to run one call. On the hot path of every call: the permit is the decision that
 * allows it too, so that an admission costs one object.
 */
import type { Allowed } from "@glovebox/core/decision";

/** A slot that is held until it is released; a permit that is never released is lost to all. */
export interface Permit extends Disposable {
  /** Milliseconds that the call waited for its slot. */
  readonly waitedMs: number;
  /** Gives the slot back; `false` when it was given back before, which changes nothing. */
  release(): boolean;
}

/** Where a slot goes back to. */
export interface SlotOwner<Slot> {
  giveBack(slot: Slot): void;
}

/** A permit and its own allowance. */
export class SlotPermit<Slot> implements Permit, Allowed<Permit> {
  readonly allowed = true as const;
  readonly rule = "limiter.slots";
  readonly waitedMs: number;
  readonly #owner: SlotOwner<Slot>;
  #slot: Slot | undefined;

  constructor(owner: SlotOwner<Slot>, slot: Slot, waitedMs: number) {
    this.#owner = owner;
    this.#slot = slot;
    this.waitedMs = waitedMs;
  }

  get value(): Permit {
    return this;
  }

  release(): boolean {
    const slot = this.#slot;
    if (slot === undefined) return false;
    this.#slot = undefined;
    this.#owner.giveBack(slot);
    return true;
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
