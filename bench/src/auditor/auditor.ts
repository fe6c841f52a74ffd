/**
 * @module The auditor against a plain log file: pino writing the same events to a file (`sync: true`,
 * `minLength: 0`), a raw `fdatasync`, and SQLite in WAL mode with `synchronous=FULL`. Everything of the
 * auditor is on: validation, canonical JSON, tiles, sealing.
 */
import { cp, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Auditor, EVENT_KINDS, openAuditor, verifyAuditLog } from "@glovebox/auditor";
import { openAuditLog, openKeyFile } from "@glovebox/auditor/log";
import type { AuditEvent } from "@glovebox/core/ports";

import { type Contestant, interleave, median, ratio } from "../measure.ts";
import type { BenchReport } from "../report.ts";
import { eventOf, KIND, personalEventOf, SCOPE } from "./event.ts";
import { fdatasyncPeer, pinoPeer, sqlitePeer } from "./peers.ts";
import { proofMs } from "./proof.ts";

const ROUNDS = 9;
const EVENTS = 16_384;
const PRODUCERS = 256;
/** A sixth of a gigabyte: what opening costs in any case is not what is measured. */
const RECOVERED_ENTRIES = 500_000;

/** The bench `auditor`. */
export async function auditor(): Promise<BenchReport> {
  const parent = await mkdtemp(join(tmpdir(), "glovebox-bench-auditor-"));
  try {
    const directory = join(parent, "audit");
    const opened = await open(directory, "clear");
    const encrypting = await open(join(parent, "encrypted"), "encrypted");
    const waits: number[] = [];
    const pino = pinoPeer("pino", join(parent, "pino.log"), EVENTS, eventOf);
    const personal = pinoPeer("pinoPersonal", join(parent, "personal"), EVENTS, personalEventOf);
    const sqlite = sqlitePeer(join(parent, "sqlite.db"), EVENTS);
    const figures = await interleave(ROUNDS, [
      pino,
      sqlite,
      fdatasyncPeer(join(parent, "raw")),
      batches("durable1024", opened, 1024, "durable"),
      batches("durable256", opened, 256, "durable"),
      batches("durable64", opened, 64, "durable"),
      batches("sealed1024", opened, 1024, "sealed"),
      closedLoop(opened, waits),
      personal,
      batches("encrypted1024", encrypting, 1024, "durable", personalEventOf),
    ]);
    await opened.close();
    await encrypting.close();
    const verified = await verifyRates(directory, opened);
    const syncs = figures.fdatasync;
    return {
      bench: "auditor",
      ratios: {
        durable_vs_pino_1024: ratio(figures.durable1024, figures.pino),
        durable_vs_pino_256: ratio(figures.durable256, figures.pino),
        durable_vs_pino_64: ratio(figures.durable64, figures.pino),
        sealed_vs_pino_1024: ratio(figures.sealed1024, figures.pino),
        closed_loop_256_vs_pino: ratio(figures.closed256, figures.pino),
        ack_p99_vs_fdatasync_p99: percentile(waits, 0.99) / median(syncs),
        vs_sqlite_full_1024: ratio(figures.durable1024, figures.sqlite),
        encrypted_vs_pino_1024: ratio(figures.encrypted1024, figures.pinoPersonal),
        verify_vs_pino: median(verified) / median(figures.pino),
        proof_ms_10m: await proofMs(join(parent, "tiles")),
        recover_s_per_gb: await recoverySecondsPerGb(parent),
        pino_events_per_s: median(figures.pino),
        fdatasync_p99_ms: median(syncs),
      },
      targets: {
        durable_vs_pino_1024: ["ge", 1.25],
        durable_vs_pino_256: ["ge", 0.9],
        durable_vs_pino_64: ["ge", 0.4],
        sealed_vs_pino_1024: ["ge", 1],
        closed_loop_256_vs_pino: ["ge", 0.75],
        ack_p99_vs_fdatasync_p99: ["le", 10],
        vs_sqlite_full_1024: ["ge", 2],
        encrypted_vs_pino_1024: ["ge", 0.4],
        verify_vs_pino: ["ge", 1],
        proof_ms_10m: ["le", 1],
        recover_s_per_gb: ["le", 5],
      },
      notes: [
        "events of 15 fields; validation, canonical JSON, tiles and sealing on",
        "encrypted: one more field, a person's id, encrypted under that person's key; pino has it in the clear (more in audit-events)",
        "batches in sequence: each is recorded and waited for before the next begins",
        "fdatasync: 300 kB appended and synced, p99 of each round",
      ],
    };
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
}

function open(directory: string, personalData: "clear" | "encrypted"): Promise<Auditor> {
  return openAuditor({
    directory,
    origin: "bench.example/audit",
    personalData,
    // One plugin makes all of the events here, as fast as it can.
    flood: { denialsPerSecond: 1e9, denialBurst: 1e9, eventsPerSecond: 1e9, eventBurst: 1e9 },
  });
}

/** Events of one round of batches. */
function countOf(size: number): number {
  return Math.min(EVENTS, size * 16);
}

function batches<Name extends string>(
  name: Name,
  opened: Auditor,
  size: number,
  until: "durable" | "sealed",
  event: (n: number) => AuditEvent = eventOf,
): Contestant<Name> {
  return {
    name,
    async measure() {
      const count = countOf(size);
      const start = performance.now();
      for (let done = 0; done < count; done += size) {
        let last: Promise<unknown> | undefined;
        for (let at = 0; at < size; at += 1) {
          const decision = opened.record(SCOPE, event(done + at));
          if (!decision.allowed) throw new Error(decision.reason);
          if (at === size - 1) last = decision.value[until];
        }
        await last;
      }
      return count / ((performance.now() - start) / 1_000);
    },
  };
}

function closedLoop(opened: Auditor, waits: number[]): Contestant<"closed256"> {
  return {
    name: "closed256",
    async measure() {
      let left = EVENTS;
      const produce = async (): Promise<void> => {
        while (left-- > 0) {
          const began = performance.now();
          const decision = opened.record(SCOPE, eventOf(left));
          if (!decision.allowed) throw new Error(decision.reason);
          await decision.value.durable;
          waits.push(performance.now() - began);
        }
      };
      const start = performance.now();
      await Promise.all(Array.from({ length: PRODUCERS }, produce));
      return EVENTS / ((performance.now() - start) / 1_000);
    },
  };
}

/** Events per second of full verifications of the log that holds what was recorded. */
async function verifyRates(directory: string, opened: Auditor): Promise<readonly number[]> {
  const kept = EVENT_KINDS[KIND].class;
  const since = opened.logs.get(kept)?.checkpoint() ?? "";
  const recorded = ROUNDS * (countOf(1024) * 2 + countOf(256) + countOf(64) + EVENTS);
  const rates: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const start = performance.now();
    const { ok, fresh, size } = await verifyAuditLog(join(directory, kept), { since });
    if (!ok || !fresh) throw new Error("the log of the bench is not whole");
    if (size < recorded) throw new Error(`${recorded} events were recorded; ${size} verified`);
    rates.push(size / ((performance.now() - start) / 1_000));
  }
  return rates;
}

/** Opens a copy of a log that nobody closed, whose entries are all in its write-ahead file. */
async function recoverySecondsPerGb(parent: string): Promise<number> {
  const origin = "bench.example/recovery";
  const signers = [await openKeyFile(join(parent, "recovery.key"), origin)];
  const directory = join(parent, "recovery");
  const { log } = await openAuditLog(
    { directory, origin, sealIntervalMs: 86_400_000 },
    { signers },
  );
  const entry = "x".repeat(300);
  for (let at = 0; at < RECOVERED_ENTRIES; at += 1) {
    const place = await log.append(entry);
    if (at % 1_000 === 999) await place.durable;
  }
  await log.flush();
  const copy = join(parent, "copy");
  await cp(directory, copy, { recursive: true, filter: (path) => !path.endsWith(".lock") });
  await log.close();
  let size = 0;
  for (const name of await readdir(join(copy, "wal")))
    size += (await stat(join(copy, "wal", name))).size;
  const start = performance.now();
  const recovered = await openAuditLog({ directory: copy, origin }, { signers });
  const seconds = (performance.now() - start) / 1_000;
  if (recovered.log.state().durableSize !== RECOVERED_ENTRIES)
    throw new Error("not all entries were recovered");
  await recovered.log.close();
  return (seconds / size) * 1e9;
}

function percentile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN;
}
