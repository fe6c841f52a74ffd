import { expect, test } from "vitest";

import { statusOf } from "../src/status.ts";

type Surroundings = Parameters<typeof statusOf>[1];

test("is not ready when the sandbox can start no runners any more", () => {
  const of = (ready: boolean): Surroundings =>
    ({ sandbox: { status: () => ({ ready }) }, stopped: () => undefined }) as never;
  const config = { loosened: [] } as never;
  expect(statusOf(config, of(true)).ready).toBe(true);
  expect(statusOf(config, of(false)).ready).toBe(false);
});
