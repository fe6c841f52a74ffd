import { hash } from "node:crypto";

import { sha256InTurns } from "@glovebox/core/ids";
import { expect, test } from "vitest";

const MIB = 1024 * 1024;

test.each([0, 1, MIB, MIB + 1, 3 * MIB])("digests %i bytes as in one go", async (size) => {
  const bytes = new Uint8Array(size).map((_, at) => at % 251);
  expect(await sha256InTurns(bytes)).toBe(hash("sha256", bytes));
});

test("lets other work run between two mebibytes", async () => {
  let turns = 0;
  const count = (): void => {
    turns += 1;
    timer = setImmediate(count);
  };
  let timer = setImmediate(count);
  await sha256InTurns(new Uint8Array(8 * MIB));
  clearImmediate(timer);
  expect(turns).toBeGreaterThanOrEqual(6);
});
