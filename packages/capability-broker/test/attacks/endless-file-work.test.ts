/** A plugin that uses one open file for as long as it lives: nothing of an operation stays on the host (CWE-401). */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import type { FileHandle } from "@glovebox/core/ports";
import { callScope } from "@glovebox/testkit";
import { expect, test } from "vitest";

import { createLab, valueOf } from "../lab.ts";

const OPERATIONS = 20_000;

test("one file that is read for ever takes no memory on the host", async () => {
  const host = mkdtempSync(join(tmpdir(), "broker-endless-"));
  writeFileSync(join(host, "a.txt"), "hello");
  const roots = [{ guest: "/data", host, allowRead: true, allowWrite: false }];
  const lab = createLab({ policy: { filesystem: { roots } } });
  try {
    const files = lab.broker.files(lab.grant());
    const handle = valueOf(await files.open(callScope(), "/data/a.txt", new Set(["read"])));
    await readAgain(handle, OPERATIONS / 10);
    const before = usedHeap();
    await readAgain(handle, OPERATIONS);
    // A hundred bytes an operation would be two megabytes.
    expect(usedHeap() - before).toBeLessThan(2 ** 20);
    await handle.close();
  } finally {
    await lab.broker.close();
    rmSync(host, { recursive: true });
  }
});

async function readAgain(handle: FileHandle, times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) await handle.readAt(0, 5);
}

/** Bytes of the heap that are in use. */
function usedHeap(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  return process.memoryUsage().heapUsed;
}
