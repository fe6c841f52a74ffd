/**
 * @module The limiter alone, in front of work of any kind: two calls at a time, four at once and
 * then ten a second, and a budget of memory. What is refused says when to come back.
 */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";

import { parsePluginId } from "@glovebox/core/ids";
import { createDeadline, createLimiter, MemoryLimiter } from "@glovebox/limiter";

const plugin = parsePluginId("thumbnails");
assert.ok(plugin.allowed);
const pluginId = plugin.value;

using limiter = createLimiter({ maxConcurrentPerPlugin: 2, ratePerSecond: 10, burst: 4 });
const memory = new MemoryLimiter({ maxBytes: 1_000_000 });

/** Work that may start only with a permit and memory, and ends with its deadline. */
async function work(bytes: number, ms: number): Promise<string> {
  const admission = await limiter.admit({ pluginId });
  if (!admission.allowed) {
    return `${admission.code}, again in ${Math.ceil(admission.retryAfterMs ?? 0)} ms`;
  }
  using _permit = admission.value;
  const allocation = memory.allocate(bytes);
  if (!allocation.allowed) return allocation.code;
  try {
    using deadline = createDeadline({ wallMs: 50 });
    await delay(ms, undefined, { signal: deadline.signal });
    return "done";
  } catch (error) {
    return (error as Error & { cause?: { code?: string } }).cause?.code ?? "failed";
  } finally {
    allocation.value.free();
  }
}

const calls = [
  work(1_000, 5),
  work(1_000, 5), // these two run, the next two wait for their slots
  work(2_000_000, 5), // more memory than there is
  work(1_000, 5_000), // longer than its deadline
  work(1_000, 5), // one too many at once
];
for (const [at, answer] of (await Promise.all(calls)).entries()) {
  process.stdout.write(`call ${at + 1}: ${answer}\n`);
}
