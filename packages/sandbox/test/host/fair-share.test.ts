import { describe, expect, it } from "vitest";

import { compareStanding, FairShare, hasMore } from "../../src/host/fair-share.ts";

const TENANT = undefined;

/** Two plugins that were both given a place: `first` before `second`. */
function two() {
  const share = new FairShare<{ name: string }>();
  const first = share.standing({ name: "first" }, TENANT);
  const second = share.standing({ name: "second" }, TENANT);
  share.grant(first);
  share.grant(second);
  return { share, first, second };
}

describe("who is next", () => {
  it("is who holds fewer, though it was served longer and later", () => {
    const { share, first, second } = two();
    share.release(second, 1_000);
    expect(compareStanding(second, first)).toBeLessThan(0);
    expect(hasMore(first, second)).toBe(true);
    expect(hasMore(second, first)).toBe(false);
  });

  it("is, among those who hold as many, who was served for less time, though later", () => {
    const { share, first, second } = two();
    share.release(first, 500);
    share.release(second, 100);
    expect(compareStanding(second, first)).toBeLessThan(0);
  });

  it("is, among equals, whose turn was longest ago", () => {
    const { first, second } = two();
    expect(compareStanding(first, second)).toBeLessThan(0);
  });

  it("is decided within a plugin in the same way", () => {
    const share = new FairShare();
    const plugin = {};
    const busy = share.standing(plugin, "busy");
    const quiet = share.standing(plugin, "quiet");
    share.grant(busy);
    expect(compareStanding(quiet, busy)).toBeLessThan(0);
    expect(hasMore(busy, quiet)).toBe(true);
  });
});

describe("an account", () => {
  it("begins level with the least served, so that nobody gains by coming anew", () => {
    const { share, first, second } = two();
    share.release(first, 500);
    share.release(second, 300);
    expect(share.standing({ name: "third" }, TENANT).group.servedMs).toBe(300);
  });

  it("is kept while its owner holds or waits, and forgotten otherwise", () => {
    const share = new FairShare();
    const [holder, waiter, idle] = [{}, {}, {}];
    for (const key of [holder, waiter, idle]) {
      const standing = share.standing(key, TENANT);
      share.grant(standing);
      if (key !== holder) share.release(standing, 100);
    }
    share.standing(waiter, TENANT).group.waiting = 1;
    share.forgetIdle();
    expect(share.heldBy(holder)).toBe(1);
    expect(share.standing(waiter, TENANT).group.servedMs).toBe(100);
    // A newcomer again: level with the holder, who has given nothing back yet.
    expect(share.standing(idle, TENANT).group.servedMs).toBe(0);
  });
});
