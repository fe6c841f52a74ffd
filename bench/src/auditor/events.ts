/**
 * @module What events cost above the log: `record` by itself, and the whole of recording until it is
 * durable, with personal fields of which one differs in every event, against pino writing the same
 * fields to a file (`sync: true`, `minLength: 0`).
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openAuditor } from "@glovebox/auditor";
import type { AuditEvent, OperationScope } from "@glovebox/core/ports";
import pino from "pino";

import { interleave, median, ratio } from "../measure.ts";
import type { BenchReport } from "../report.ts";

const ROUNDS = 7;
const BATCH = 1_024;
const BATCHES = 16;
const PERSONS = 64;

const SCOPE = {
  pluginId: "rate-table",
  callId: "b7e2c8d0-1111-4222-8333-944455566677",
  tenantId: "tenant-1",
} as unknown as OperationScope;

/** Fifteen fields with those of the scope; the personal one is of this event alone. */
function eventOf(n: number): AuditEvent {
  return {
    kind: "call",
    success: n % 16 !== 0,
    function: "query_datasource",
    code: "SANDBOX_TRAP",
    rule: "call.end",
    error: "unreachable executed",
    executionTimeMs: 1.25,
    grantId: "0b2f6a52-2222-4333-8444-955566677788",
    traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
    userId: `user-${n % PERSONS}@example.com`,
    details: { attempt: 1, step: "end" },
  };
}

/** The bench `audit-events`. */
export async function auditEvents(): Promise<BenchReport> {
  const parent = await mkdtemp(join(tmpdir(), "glovebox-bench-events-"));
  // Failures are folded when a plugin floods, which is not what is measured.
  const unbounded = {
    denialsPerSecond: 1e9,
    denialBurst: 1e9,
    eventsPerSecond: 1e9,
    eventBurst: 1e9,
  };
  const auditor = await openAuditor({ directory: join(parent, "audit"), flood: unbounded });
  const destination = pino.destination({
    dest: join(parent, "pino.log"),
    sync: true,
    minLength: 0,
  });
  const logger = pino({ base: null }, destination);
  let n = 0;

  async function recorded(personal: boolean): Promise<number> {
    const start = performance.now();
    for (let batch = 0; batch < BATCHES; batch += 1) {
      let last: Promise<unknown> | undefined;
      for (let at = 0; at < BATCH; at += 1) {
        n += 1;
        const event = personal ? { ...eventOf(n), personal: { ip: `10.0.0.${n}` } } : eventOf(n);
        const decision = auditor.record(SCOPE, event);
        if (!decision.allowed) throw new Error(decision.reason);
        if (at === BATCH - 1) last = decision.value.durable;
      }
      await last;
    }
    return (BATCH * BATCHES) / (performance.now() - start);
  }

  async function logged(): Promise<number> {
    const start = performance.now();
    for (let at = 0; at < BATCH * BATCHES; at += 1) {
      n += 1;
      logger.info({ ...SCOPE, ...eventOf(n), personal: { ip: `10.0.0.${n}` } });
    }
    return (BATCH * BATCHES) / (performance.now() - start);
  }

  /** Microseconds of `record` itself: canonical JSON and a place, with one person's fields repeated. */
  async function placed(): Promise<number> {
    const events = Array.from({ length: BATCH }, (_, at) => eventOf(at));
    const start = performance.now();
    for (const event of events) auditor.record(SCOPE, event);
    const tookMs = performance.now() - start;
    await auditor.flush();
    return (tookMs * 1_000) / BATCH;
  }

  try {
    await recorded(true);
    const figures = await interleave(ROUNDS, [
      { name: "pino", measure: logged },
      { name: "encrypted", measure: () => recorded(true) },
      { name: "repeated", measure: () => recorded(false) },
      { name: "placed", measure: placed },
    ]);
    return {
      bench: "audit-events",
      ratios: {
        encrypted_vs_pino_1024: ratio(figures.repeated, figures.pino),
        encrypted_distinct_vs_pino_1024: ratio(figures.encrypted, figures.pino),
        record_us: median(figures.placed),
      },
      targets: { encrypted_vs_pino_1024: ["ge", 0.4] },
      notes: [
        `events: durable in batches of ${BATCH}, classes apart, ${PERSONS} persons; encrypted: one personal field, the person's id, whose ciphertext is repeated; distinct: another field besides that differs in every event, so that each is encrypted anew`,
      ],
    };
  } finally {
    await auditor.close();
    await rm(parent, { recursive: true, force: true });
  }
}
