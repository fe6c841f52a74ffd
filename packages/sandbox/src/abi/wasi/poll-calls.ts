/**
 * @module `poll_oneoff`: waits for clocks and descriptors. Files and streams are always ready, so that
 * only a list of nothing but clocks waits. How long is attacker-controlled: the host's watch ends a
 * call whose time is up, also one that sleeps.
 */
import { type Errno, ERRNO, fail, WasiError } from "./errno.ts";
import type { WasiCalls, WasiContext } from "./wasi-context.ts";

const MAX_SUBSCRIPTIONS = 4_096;
const SUBSCRIPTION_BYTES = 48;
const EVENT_BYTES = 32;
const EVENT = { CLOCK: 0, FD_READ: 1, FD_WRITE: 2 } as const;
const ABSOLUTE_TIME = 1;
const HANG_UP = 1;

interface Subscription {
  readonly userdata: bigint;
  readonly type: number;
  /** A clock's id, or a descriptor. */
  readonly id: number;
  readonly timeout: bigint;
  readonly isAbsolute: boolean;
}

interface PollEvent {
  readonly userdata: bigint;
  readonly type: number;
  readonly errno: Errno;
  readonly bytes?: bigint;
  readonly flags?: number;
}

/** The call. */
export function pollCalls({ memory, state }: WasiContext): WasiCalls {
  const { clocks, descriptors, streams, files } = state;
  return {
    poll_oneoff(subscriptionsAt, eventsAt, rawCount, result) {
      const count = rawCount >>> 0;
      if (count === 0 || count > MAX_SUBSCRIPTIONS) fail(ERRNO.INVAL);
      memory.setU32(result, 0);
      memory.entries(count);
      memory.bytes(eventsAt, count * EVENT_BYTES);
      // All are read before an event is written: the two lists may overlap.
      const subscriptions = Array.from({ length: count }, (_, index) =>
        readSubscription((subscriptionsAt >>> 0) + index * SUBSCRIPTION_BYTES),
      );
      const events = poll(subscriptions);
      for (const [index, event] of events.entries()) {
        const view = memory.struct((eventsAt >>> 0) + index * EVENT_BYTES, EVENT_BYTES);
        view.setBigUint64(0, event.userdata, true);
        view.setUint16(8, event.errno, true);
        view.setUint8(10, event.type);
        view.setBigUint64(16, event.bytes ?? 0n, true);
        view.setUint16(24, event.flags ?? 0, true);
      }
      memory.setU32(result, events.length);
    },
  };

  function readSubscription(at: number): Subscription {
    return {
      userdata: memory.u64(at),
      type: memory.u8(at + 8),
      id: memory.u32(at + 16),
      timeout: memory.u64(at + 24),
      isAbsolute: (memory.u16(at + 40) & ABSOLUTE_TIME) !== 0,
    };
  }

  function poll(subscriptions: readonly Subscription[]): readonly PollEvent[] {
    const begun = [clocks.exact(0), clocks.exact(1)] as const;
    const ready: PollEvent[] = [];
    const waiting: { readonly subscription: Subscription; readonly leftNs: bigint }[] = [];
    for (const subscription of subscriptions) {
      const { type, id, timeout, isAbsolute } = subscription;
      if (type !== EVENT.CLOCK) {
        ready.push(descriptorEvent(subscription));
      } else if (id !== 0 && id !== 1) {
        ready.push(eventOf(subscription, ERRNO.INVAL));
      } else {
        const left = isAbsolute ? timeout - begun[id] : timeout;
        waiting.push({ subscription, leftNs: left < 0n ? 0n : left });
      }
    }
    const soonest = waiting.reduce<bigint | undefined>(
      (least, { leftNs }) => (least === undefined || leftNs < least ? leftNs : least),
      undefined,
    );
    if (ready.length === 0 && soonest !== undefined && soonest > 0n) clocks.sleep(soonest);
    const passed = ready.length === 0 ? (soonest ?? 0n) : 0n;
    for (const { subscription, leftNs } of waiting) {
      if (leftNs <= passed) ready.push(eventOf(subscription, ERRNO.SUCCESS));
    }
    return ready;
  }

  function descriptorEvent(subscription: Subscription): PollEvent {
    const { type, id } = subscription;
    if (type !== EVENT.FD_READ && type !== EVENT.FD_WRITE) fail(ERRNO.INVAL);
    try {
      const descriptor = descriptors.withRights(id, "POLL_FD_READWRITE");
      if (type === EVENT.FD_WRITE || descriptor.kind === "directory") {
        return eventOf(subscription, ERRNO.SUCCESS);
      }
      if (descriptor.kind === "file") {
        const left = files.handleStat(descriptor.handle).size - descriptor.offset;
        return { ...eventOf(subscription, ERRNO.SUCCESS), bytes: left > 0n ? left : 0n };
      }
      const bytes = descriptor.kind === "input" ? BigInt(streams.available) : 0n;
      const flags = bytes === 0n ? HANG_UP : 0;
      return { ...eventOf(subscription, ERRNO.SUCCESS), bytes, flags };
    } catch (error) {
      if (error instanceof WasiError) return eventOf(subscription, error.errno);
      throw error;
    }
  }
}

function eventOf({ userdata, type }: Subscription, errno: Errno): PollEvent {
  return { userdata, type, errno };
}
