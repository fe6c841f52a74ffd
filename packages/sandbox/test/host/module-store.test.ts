import { existsSync } from "node:fs";

import { expect, it } from "vitest";

import { moduleKey, ModuleStore } from "../../src/host/module-store.ts";

it("leaves nothing behind when it is closed while it writes", async () => {
  const store = new ModuleStore();
  const { folder } = store;
  const modules = await Promise.all(
    Array.from({ length: 20 }, async (_, at) => {
      const bytes = new Uint8Array(100_000).fill(at);
      return { bytes, key: await moduleKey(bytes) };
    }),
  );
  const writes = modules.map(({ bytes, key }) => store.keep(key, bytes));
  await store.close();
  await Promise.allSettled(writes);
  expect(existsSync(folder)).toBe(false);
});

it("keeps nothing once it is closed", async () => {
  const store = new ModuleStore();
  await store.close();
  const bytes = Uint8Array.of(1);
  await expect(store.keep(await moduleKey(bytes), bytes)).rejects.toMatchObject({
    code: "SANDBOX_CLOSED",
  });
});
