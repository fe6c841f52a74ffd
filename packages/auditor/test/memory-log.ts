/** @module A log in memory with the same promises, for tests of what stands on a log. */
import { allow, type Decision, refuse } from "@glovebox/core/decision";
import type { Receipt } from "@glovebox/core/ports";

import type { AuditLog, LogEntry, LogPlace, StoredEntry } from "../src/log/log.ts";

/** Everything is durable and sealed at once. */
export function createMemoryLog(origin = "memory.example/log"): AuditLog {
  const entries: Uint8Array[] = [];
  let minimumIndex = 0;
  let grown = Promise.withResolvers<void>();

  function tryAppend(entry: LogEntry): Decision<LogPlace> {
    const bytes = typeof entry === "string" ? Buffer.from(entry) : Uint8Array.from(entry);
    if (bytes.length > 65_535) return refuse("AUDITOR_ENTRY_SIZE", "audit.entry", "too large");
    const place = entries.push(bytes) - 1;
    grown.resolve();
    grown = Promise.withResolvers<void>();
    const receipt = Promise.resolve({ origin, index: place, size: entries.length });
    return allow("audit.appended", { place, durable: receipt, sealed: receipt });
  }

  async function receiptOf(index: number): Promise<Receipt> {
    return { origin, index, size: entries.length };
  }

  return {
    origin,
    state: () => ({
      nextIndex: entries.length,
      durableSize: entries.length,
      sealedSize: entries.length,
      minimumIndex,
      queuedEntries: 0,
      queuedBytes: 0,
    }),
    checkpoint: () => `${origin}\n${entries.length}\n`,
    tryAppend,
    async append(entry) {
      const decision = tryAppend(entry);
      if (!decision.allowed) throw new Error(decision.reason);
      return decision.value;
    },
    whenDurable: receiptOf,
    whenSealed: receiptOf,
    flush: async () => undefined,
    seal: async () => undefined,
    async *read(from = minimumIndex, to = entries.length): AsyncGenerator<StoredEntry> {
      if (from < minimumIndex) throw new Error("pruned");
      for (let index = from; index < to; index += 1) {
        yield { index, bytes: entries[index] ?? new Uint8Array() };
      }
    },
    whenGrown: async (size) => {
      if (entries.length <= size) await grown.promise;
    },
    prove: async (index) => `index ${index}`,
    proveConsistency: async () => [],
    async prune(wanted) {
      minimumIndex = Math.max(minimumIndex, wanted - (wanted % 256));
      return minimumIndex;
    },
    async close() {
      grown.resolve();
    },
    async [Symbol.asyncDispose]() {
      grown.resolve();
    },
  };
}
