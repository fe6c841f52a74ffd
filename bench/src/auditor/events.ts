/**
 * @module What events cost above the log: `record` by itself, and recording until it is durable with
 * another personal field in every event, which is encrypted anew each time, against pino writing the
 * same fields to a file (`sync: true`, `minLength: 0`).
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openAuditor } from "@glovebox/auditor";
import type { AuditEvent } from "@glovebox/core/ports";

import { interleave, median, ratio } from "../measure.ts";
import type { BenchReport } from "../report.ts";
import { personalEventOf, SCOPE } from "./event.ts";
import { pinoPeer } from "./peers.ts";

const ROUNDS = 7;
const BATCH = 1_024;
const EVENTS = BATCH * 16;

let addresses = 0;

/** The person's id, and an address of this event alone. */
function distinctEventOf(n: number): AuditEvent {
  addresses += 1;
  return { ...personalEventOf(n), personal: { ip: `10.0.0.${addresses}` } };
}

/** The bench `audit-events`. */
export async function auditEvents(): Promise<BenchReport> {
  const parent = await mkdtemp(join(tmpdir(), "glovebox-bench-events-"));
  const auditor = await openAuditor({
    directory: join(parent, "audit"),
    // Failures are folded when a plugin floods, which is not what is measured.
    flood: { denialsPerSecond: 1e9, denialBurst: 1e9, eventsPerSecond: 1e9, eventBurst: 1e9 },
  });

  async function recorded(): Promise<number> {
    const start = performance.now();
    for (let done = 0; done < EVENTS; done += BATCH) {
      let last: Promise<unknown> | undefined;
      for (let at = 0; at < BATCH; at += 1) {
        const decision = auditor.record(SCOPE, distinctEventOf(done + at));
        if (!decision.allowed) throw new Error(decision.reason);
        if (at === BATCH - 1) last = decision.value.durable;
      }
      await last;
    }
    return EVENTS / ((performance.now() - start) / 1_000);
  }

  /** Microseconds of `record` itself: canonical JSON and a place, with one person's fields repeated. */
  async function placed(): Promise<number> {
    const events = Array.from({ length: BATCH }, (_, at) => personalEventOf(at));
    const start = performance.now();
    for (const event of events) auditor.record(SCOPE, event);
    const tookMs = performance.now() - start;
    await auditor.flush();
    return (tookMs * 1_000) / BATCH;
  }

  try {
    await recorded();
    const figures = await interleave(ROUNDS, [
      pinoPeer("pino", join(parent, "pino.log"), EVENTS, distinctEventOf),
      { name: "encrypted", measure: recorded },
      { name: "placed", measure: placed },
    ]);
    return {
      bench: "audit-events",
      ratios: {
        encrypted_distinct_vs_pino_1024: ratio(figures.encrypted, figures.pino),
        record_us: median(figures.placed),
      },
      targets: {},
      notes: [
        `durable in batches of ${BATCH}; two personal fields, one of them different in every event`,
        "record_us: one personal field, the person's id, whose ciphertext is repeated",
      ],
    };
  } finally {
    await auditor.close();
    await rm(parent, { recursive: true, force: true });
  }
}
