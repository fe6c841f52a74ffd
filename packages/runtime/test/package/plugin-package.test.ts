import { expect, test } from "vitest";

import { createPackageBuilder } from "../../src/package/plugin-package.ts";

const MIB = 1024 * 1024;

test.each([MIB, 300_000])("lets other work run between files of %i bytes", async (size) => {
  const builder = createPackageBuilder({ maxBytes: 16 * MIB });
  for (let at = 0; at < 10; at += 1) builder.add(`${at}`, new Uint8Array(size));
  let turns = 0;
  const count = (): void => {
    turns += 1;
    timer = setImmediate(count);
  };
  let timer = setImmediate(count);
  const { digests } = await builder.build();
  clearImmediate(timer);
  expect(digests.size).toBe(10);
  expect(turns).toBeGreaterThanOrEqual(Math.floor((10 * size) / MIB) - 1);
});
