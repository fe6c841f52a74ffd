import { fakeClock } from "@glovebox/testkit";
import { describe, expect, it } from "vitest";

import { SandboxError } from "../../src/errors.ts";
import { type Lease, type LeaseGroup, RunnerLeases } from "../../src/host/runner-leases.ts";
import {
  IDLE_GRACE_MS,
  LEASE_SLICE_MS,
  MAX_LEASE_WAIT_MS,
  MAX_WAITING_LEASES,
} from "../../src/limits.ts";

/** Long enough for a look at the holders after their slice. */
const TURN_MS = LEASE_SLICE_MS + 10;

/** Leases with holders that give back when they are asked, and a record of who was given what. */
function contest(capacity: number) {
  const clock = fakeClock();
  const leases = new RunnerLeases(capacity, clock);
  const granted: string[] = [];
  const asked: string[] = [];
  const held = new Map<string, Lease>();
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };
  return {
    clock,
    leases,
    granted,
    asked,
    held,
    settle,
    /** Applies; a holder that is asked back gives back at once, and `isFlooding` applies again. */
    apply: async (
      name: string,
      group: LeaseGroup,
      options: {
        tenant?: string;
        isFlooding?: boolean;
        idleSinceMs?: number;
        keeps?: boolean;
      } = {},
    ): Promise<void> => {
      const turn = async (): Promise<void> => {
        const lease = await leases.apply({ group, tenant: options.tenant });
        granted.push(name);
        held.set(name, lease);
        lease.hold({
          idleSinceMs: () => options.idleSinceMs,
          giveBack: () => {
            asked.push(name);
            if (options.keeps === true) return;
            lease.release();
            if (options.isFlooding === true) void turn();
          },
        });
      };
      void turn();
      await settle();
    },
    /** Lets turns pass. */
    pass: async (turns: number): Promise<void> => {
      for (let at = 0; at < turns; at++) {
        clock.advance(TURN_MS);
        await settle();
      }
    },
  };
}

const plugin = (maxRunners = 8): LeaseGroup => ({ maxRunners });

describe("RunnerLeases", () => {
  it("gives what is free at once and asks nobody back", async () => {
    const { apply, granted, asked, leases } = contest(2);
    await apply("a", plugin());
    await apply("b", plugin());
    expect(granted).toEqual(["a", "b"]);
    expect(asked).toEqual([]);
    expect(leases.held).toBe(2);
  });

  it("lets plugins take turns when there are fewer places than plugins", async () => {
    const { apply, granted, pass } = contest(1);
    for (const name of ["a", "b", "c"]) await apply(name, plugin(), { isFlooding: true });
    await pass(6);
    expect(granted.slice(0, 7)).toEqual(["a", "b", "c", "a", "b", "c", "a"]);
  });

  it("does not let a plugin with a hundred tenants starve one with one", async () => {
    const { apply, granted, pass } = contest(4);
    const flooding = plugin();
    for (let tenant = 0; tenant < 100; tenant++) {
      await apply("flood", flooding, { tenant: String(tenant), isFlooding: true });
    }
    await apply("quiet", plugin(), { isFlooding: true });
    expect(granted).not.toContain("quiet");
    await pass(1);
    expect(granted).toContain("quiet");
    await pass(10);
    // Who holds one of four places and wants no more is never asked for it by who holds three.
    expect(granted.filter((name) => name === "quiet")).toHaveLength(1);
  });

  it("shares a plugin's places among its tenants in the same way", async () => {
    const { apply, granted, pass } = contest(10);
    const one = plugin(1);
    for (const tenant of ["a", "a", "a", "b"]) {
      await apply(tenant, one, { tenant, isFlooding: true });
    }
    await pass(5);
    const turnsOfB = granted.filter((name) => name === "b").length;
    expect(turnsOfB).toBe(3);
    expect(granted).toHaveLength(6);
  });

  it("asks a holder once, however long its call takes, and then goes on in turn", async () => {
    const { apply, granted, asked, held, pass, settle } = contest(1);
    await apply("slow", plugin(), { keeps: true });
    await apply("quick", plugin(), { isFlooding: true });
    await apply("other", plugin(), { isFlooding: true });
    await pass(10);
    expect(asked).toEqual(["slow"]);
    held.get("slow")?.release();
    await settle();
    await pass(1);
    expect(granted).toEqual(["slow", "quick", "other"]);
  });

  it("takes back the place that was idle longest before any that is busy", async () => {
    const { apply, asked, clock, granted } = contest(3);
    clock.advance(1_000);
    await apply("busy", plugin());
    await apply("idle", plugin(), { idleSinceMs: 900 });
    await apply("idle longer", plugin(), { idleSinceMs: 100 });
    await apply("new", plugin());
    expect(asked).toEqual(["idle longer"]);
    expect(granted.at(-1)).toBe("new");
  });

  it("leaves a caller in sequence its place between two calls", async () => {
    const { apply, asked, clock, settle } = contest(1);
    clock.advance(1_000);
    await apply("in sequence", plugin(), { idleSinceMs: 1_000 - IDLE_GRACE_MS / 2 });
    await apply("new", plugin());
    expect(asked).toEqual([]);
    clock.advance(10);
    await settle();
    expect(asked).toEqual(["in sequence"]);
  });

  it("asks nobody back who has no more than the one who waits", async () => {
    const { apply, asked, pass } = contest(2);
    const [first, second] = [plugin(), plugin()];
    await apply("first", first, { tenant: "a" });
    await apply("second", second, { tenant: "a" });
    await apply("first again", first, { tenant: "a" });
    await pass(10);
    expect(asked).toEqual([]);
  });

  it("bounds the line of each plugin, and not that of others", async () => {
    const { apply, leases, settle } = contest(1);
    await apply("holder", plugin(), { keeps: true });
    const flooding = plugin();
    const lines = Array.from({ length: MAX_WAITING_LEASES }, (_, at) =>
      leases.apply({ group: flooding, tenant: String(at) }),
    );
    await settle();
    await expect(leases.apply({ group: flooding, tenant: "one more" })).rejects.toMatchObject({
      code: "SANDBOX_QUEUE_FULL",
    });
    const other = leases.apply({ group: plugin(), tenant: undefined });
    expect(leases.waiting).toBe(MAX_WAITING_LEASES + 1);
    leases.close(new SandboxError("SANDBOX_CLOSED"));
    for (const lease of [...lines, other]) {
      await expect(lease).rejects.toMatchObject({ code: "SANDBOX_CLOSED" });
    }
  });

  it("lets nobody wait for ever", async () => {
    const { apply, leases, clock, settle } = contest(1);
    await apply("holder", plugin(), { keeps: true });
    const codes: string[] = [];
    const late = leases.apply({ group: plugin(), tenant: undefined });
    const noted = late.catch(({ code }: SandboxError) => codes.push(code));
    clock.advance(MAX_LEASE_WAIT_MS - 10);
    await settle();
    expect(codes).toEqual([]);
    clock.advance(20);
    await noted;
    expect(codes).toEqual(["SANDBOX_QUEUE_FULL"]);
    expect(leases.waiting).toBe(0);
  });

  it("counts a place for the tenant that it is assigned to", async () => {
    const { apply, held, asked, pass } = contest(8);
    const one = plugin(2);
    await apply("first", one);
    await apply("second", one, { tenant: "a" });
    held.get("first")?.assign("a");
    await apply("b", one, { tenant: "b" });
    await pass(1);
    expect(asked).toEqual(["first"]);
  });

  it("stops its timer when nobody waits", async () => {
    const { apply, clock, pass } = contest(1);
    await apply("a", plugin());
    await apply("b", plugin());
    expect(clock.pendingTimers).toBe(1);
    await pass(1);
    expect(clock.pendingTimers).toBe(0);
  });
});
