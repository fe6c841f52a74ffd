/** @module Starts a program of a test's own as a runner, and answers what it wrote to standard error. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { OuterLayer } from "@glovebox/sandbox";

import { openLauncher } from "../../src/host/launcher.ts";

/** Its last words when it has ended, behind `outerLayer` or the strongest that works here. */
export async function lastWordsOf(
  source: string,
  outerLayer?: OuterLayer | "none",
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "runner-"));
  const program = join(folder, "runner.cjs");
  await writeFile(program, source);
  try {
    await using launcher = await openDisposable(program, outerLayer);
    let socket: Socket | undefined;
    const onread = { buffer: new Uint8Array(1024), callback: () => true };
    const started = await launcher.start("plugin", onread, (hostEnd) => (socket = hostEnd));
    await started.ended;
    socket?.destroy();
    return started.lastWords();
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function openDisposable(program: string, outerLayer: OuterLayer | "none" | undefined) {
  const launcher = await openLauncher({ program }, outerLayer);
  return { ...launcher, [Symbol.asyncDispose]: () => launcher.close() };
}
