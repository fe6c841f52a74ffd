/**
 * @module The right to have a runner, of which there are only so many: given by fair share, and asked
 * back when others wait. An idle holder gives back at once and sleeps; a busy one that has more than
 * the one who waits finishes its running call first (threats: one plugin or tenant that floods must
 * not starve the others).
 */
import type { Clock, Timer } from "@glovebox/core/clock";

import { SandboxError } from "../errors.ts";
import { IDLE_GRACE_MS, LEASE_SLICE_MS, MAX_LEASE_WAIT_MS, MAX_WAITING_LEASES } from "../limits.ts";
import { compareStanding, FairShare, hasMore, type Standing } from "./fair-share.ts";

/** A plugin as an applicant. */
export interface LeaseGroup {
  /** Most runners of this plugin at once. */
  readonly maxRunners: number;
}

/** Who applies. */
export interface Applicant {
  readonly group: LeaseGroup;
  readonly tenant: string | undefined;
}

/** What a holder lets the leases know, once it can give back. */
export interface LeaseHolder {
  /** Since when it has nothing to do; `undefined` = it is busy. */
  idleSinceMs(): number | undefined;
  /** Asks for the place: to be given back after the running call. */
  giveBack(): void;
}

/** The right to have one runner. */
export interface Lease {
  /** From now on the place can be asked back. */
  hold(holder: LeaseHolder): void;
  /** It is this tenant's from now on. */
  assign(tenant: string | undefined): void;
  /** The process is gone; safe to repeat. */
  release(): void;
}

interface Held {
  standing: Standing;
  readonly grantedMs: number;
  holder: LeaseHolder | undefined;
  isAskedBack: boolean;
}

interface Waiter {
  readonly applicant: Applicant;
  readonly standing: Standing;
  readonly expiresMs: number;
  readonly granted: PromiseWithResolvers<Lease>;
}

/** How long until holders are looked at again while somebody waits, milliseconds. */
const LOOK_AGAIN_MS = 5;

/** Gives out at most `capacity` leases at a time. */
export class RunnerLeases {
  readonly #capacity: number;
  readonly #clock: Clock;
  readonly #share = new FairShare<LeaseGroup>();
  readonly #held = new Set<Held>();
  readonly #waiting = new Set<Waiter>();
  #timer: Timer | undefined;
  #closed: SandboxError | undefined;

  constructor(capacity: number, clock: Clock) {
    this.#capacity = capacity;
    this.#clock = clock;
  }

  /** Leases that are held. */
  get held(): number {
    return this.#held.size;
  }

  /** Applicants that wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Whether an application would be granted at once. */
  isFree(applicant: Applicant): boolean {
    const { group } = applicant;
    const isBelowCap = this.#share.heldBy(group) < group.maxRunners;
    return this.#waiting.size === 0 && this.#held.size < this.#capacity && isBelowCap;
  }

  /**
   * A lease, now or when it is the applicant's turn.
   *
   * @throws {@link SandboxError} (`SANDBOX_QUEUE_FULL`, `SANDBOX_CLOSED`)
   */
  async apply(applicant: Applicant): Promise<Lease> {
    if (this.#closed !== undefined) throw this.#closed;
    const standing = this.#share.standing(applicant.group, applicant.tenant);
    if (standing.group.waiting >= MAX_WAITING_LEASES) {
      throw noRunner(`${MAX_WAITING_LEASES} runners of this plugin are waited for already`);
    }
    const waiter: Waiter = {
      applicant,
      standing,
      expiresMs: this.#clock.monotonicMs() + MAX_LEASE_WAIT_MS,
      granted: Promise.withResolvers<Lease>(),
    };
    this.#waiting.add(waiter);
    standing.group.waiting += 1;
    this.#look();
    return waiter.granted.promise;
  }

  /** Refuses all who wait, now and from now on. */
  close(error: SandboxError): void {
    this.#closed = error;
    this.#timer?.cancel();
    for (const waiter of this.#waiting) this.#dismiss(waiter, error);
  }

  /** Grants what is free, asks back what is due, and comes again while somebody waits. */
  #look(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const waiter of this.#waiting) {
      if (nowMs >= waiter.expiresMs)
        this.#dismiss(waiter, noRunner("no runner became free in time"));
    }
    const inOrder = (): Waiter[] =>
      [...this.#waiting].toSorted((a, b) => compareStanding(a.standing, b.standing));
    while (this.#held.size < this.#capacity) {
      const next = inOrder().find(
        ({ standing, applicant }) => standing.group.held < applicant.group.maxRunners,
      );
      if (next === undefined) break;
      this.#grant(next, nowMs);
    }
    if (this.#waiting.size === 0) {
      this.#share.forgetIdle();
      return;
    }
    const promised = [...this.#held].filter(({ isAskedBack }) => isAskedBack).length;
    for (const waiter of inOrder().slice(promised)) {
      const due = this.#dueFor(waiter, nowMs);
      if (due === undefined) continue;
      due.isAskedBack = true;
      due.holder?.giveBack();
    }
    this.#timer = this.#clock.setTimer(LOOK_AGAIN_MS, () => this.#look());
  }

  #grant(waiter: Waiter, nowMs: number): void {
    const { standing, applicant, granted } = waiter;
    this.#waiting.delete(waiter);
    standing.group.waiting -= 1;
    this.#share.grant(standing);
    const held: Held = { standing, grantedMs: nowMs, holder: undefined, isAskedBack: false };
    this.#held.add(held);
    granted.resolve({
      hold: (holder) => {
        held.holder = holder;
      },
      assign: (tenant) => {
        held.standing = this.#share.move(held.standing, applicant.group, tenant);
      },
      release: () => {
        if (!this.#held.delete(held)) return;
        this.#share.release(held.standing, this.#clock.monotonicMs() - held.grantedMs);
        if (this.#closed === undefined) this.#look();
      },
    });
  }

  /** The place that a waiter may have: the one that is idle longest, else one of who has the most. */
  #dueFor({ applicant, standing }: Waiter, nowMs: number): Held | undefined {
    const isGroupFull = standing.group.held >= applicant.group.maxRunners;
    let idle: { held: Held; sinceMs: number } | undefined;
    let busy: Held | undefined;
    for (const held of this.#held) {
      if (held.holder === undefined || held.isAskedBack) continue;
      const isOwnGroup = held.standing.group === standing.group;
      if (held.standing.member === standing.member || (isGroupFull && !isOwnGroup)) continue;
      const sinceMs = held.holder.idleSinceMs();
      if (sinceMs !== undefined && nowMs - sinceMs >= IDLE_GRACE_MS) {
        if (idle === undefined || sinceMs < idle.sinceMs) idle = { held, sinceMs };
      } else if (nowMs - held.grantedMs >= LEASE_SLICE_MS && hasMore(held.standing, standing)) {
        if (busy === undefined || compareStanding(held.standing, busy.standing) > 0) busy = held;
      }
    }
    return idle?.held ?? busy;
  }

  #dismiss(waiter: Waiter, error: SandboxError): void {
    this.#waiting.delete(waiter);
    waiter.standing.group.waiting -= 1;
    waiter.granted.reject(error);
  }
}

function noRunner(message: string): SandboxError {
  return new SandboxError("SANDBOX_QUEUE_FULL", { message });
}
