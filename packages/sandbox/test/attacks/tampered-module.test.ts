/** Somebody changes the stored module of a sleeping plugin (CWE-345, CWE-367): it must not wake as another. */
import {
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, it } from "vitest";

import { moduleKey, ModuleStore } from "../../src/host/module-store.ts";
import { SYNC_READ_BYTES } from "../../src/limits.ts";

const CHANGES: readonly (readonly [string, (path: string) => void])[] = [
  ["one bit", (path) => flip(path)],
  ["another module of the same size", (path) => replace(path, readFileSync(path).fill(7))],
  ["more bytes", (path) => replace(path, Buffer.concat([readFileSync(path), Buffer.alloc(9)]))],
  ["fewer bytes", (path) => truncateSync(path, 3)],
  ["nothing", (path) => unlinkSync(path)],
  ["a link to the same bytes", (path) => relink(path)],
];

it.each(
  [100, SYNC_READ_BYTES + 1].flatMap((size) =>
    CHANGES.map(([name, change]) => [name, size, change] as const),
  ),
)("refuses %s in place of a module of %i bytes", async (_name, size, change) => {
  const store = new ModuleStore();
  try {
    const bytes = new Uint8Array(size).map((_, at) => at % 251);
    const key = await moduleKey(bytes);
    await store.keep(key, bytes);
    expect(Buffer.compare(await store.read(key), bytes)).toBe(0);
    change(join(store.folder, key.digest));
    await expect(store.read(key)).rejects.toMatchObject({ code: "SANDBOX_MODULE_CHANGED" });
  } finally {
    await store.close();
  }
});

it("keeps what it could not write from being taken for stored", async () => {
  const store = new ModuleStore();
  const bytes = Uint8Array.of(1, 2, 3);
  const key = await moduleKey(bytes);
  writeFileSync(join(store.folder, key.digest), "somebody was here first");
  await expect(store.keep(key, bytes)).rejects.toMatchObject({ code: "EEXIST" });
  await store.close();
});

function flip(path: string): void {
  const bytes = readFileSync(path);
  bytes[1] = (bytes[1] ?? 0) ^ 1;
  replace(path, bytes);
}

function replace(path: string, bytes: Uint8Array): void {
  writeFileSync(path, bytes);
}

function relink(path: string): void {
  const elsewhere = join(mkdtempSync(join(tmpdir(), "elsewhere-")), "module");
  writeFileSync(elsewhere, readFileSync(path));
  rmSync(path);
  symlinkSync(elsewhere, path);
}
