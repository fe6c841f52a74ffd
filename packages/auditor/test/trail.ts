/** A trail over logs in memory, and what the tests want to know of it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { RetentionClass } from "@glovebox/auditor";
import { fakeClock, type FakeClock } from "@glovebox/testkit";

import type { LoggedEvent } from "#src/event/event-members";
import { readEvent } from "#src/event/read-event";
import type { AuditLog } from "#src/log/log";
import type { Disk } from "#src/record/disk-reserve";
import type { FloodReport } from "#src/record/flood";
import { openSubjectKeyFiles } from "#src/subject/key-files";
import type { SubjectKeyStore } from "#src/subject/subject-keys";
import { createTrail, type OwnedTrail, type TrailOptions } from "#src/trail";

import { createMemoryLog } from "./memory-log.ts";

/** A trail with everything that it stands on. */
export interface TestTrail extends AsyncDisposable {
  readonly trail: OwnedTrail;
  readonly directory: string;
  readonly clock: FakeClock;
  readonly logs: ReadonlyMap<RetentionClass, AuditLog>;
  readonly keys: SubjectKeyStore;
  readonly floods: FloodReport[];
  /** What `freeBytes` answers, and what was done with the reserve. */
  readonly disk: { free: number; held: number };
  /** All entries of a class as text. */
  texts(kept?: RetentionClass): Promise<readonly string[]>;
  events(kept?: RetentionClass): Promise<readonly LoggedEvent[]>;
  /** Another trail over the same logs and directory, after this one was closed. */
  reopen(options?: TrailOptions, keys?: SubjectKeyStore): Promise<OwnedTrail>;
}

export const CLASSES: readonly RetentionClass[] = ["security", "activity", "operations"];

export interface TestTrailOptions extends TrailOptions {
  readonly logs?: ReadonlyMap<RetentionClass, AuditLog>;
  /** Persons in the clear. */
  readonly withoutKeys?: true;
}

export async function testTrail(options: TestTrailOptions = {}): Promise<TestTrail> {
  const directory = await mkdtemp(join(tmpdir(), "glovebox-trail-"));
  const clock = fakeClock();
  const logs =
    options.logs ?? new Map(CLASSES.map((kept) => [kept, createMemoryLog(`host.example/${kept}`)]));
  const keys = await openSubjectKeyFiles({ directory: join(directory, "keys") });
  const disk = { free: 10 ** 12, held: 0 };
  const floods: FloodReport[] = [];
  const testDisk: Disk = {
    freeBytes: async () => disk.free,
    hold: async (bytes) => void (disk.held = bytes),
    async release() {
      disk.free += disk.held;
      disk.held = 0;
    },
  };
  const open = (wanted: TrailOptions, store = keys): Promise<OwnedTrail> =>
    createTrail(wanted, {
      directory,
      logs,
      keys: options.withoutKeys === true ? undefined : store,
      clock,
      disk: testDisk,
      random: () => 0.5,
      onFlood: (report) => void floods.push(report),
    });
  const trail = await open(options);
  const texts = async (kept: RetentionClass = "security"): Promise<readonly string[]> => {
    const found: string[] = [];
    const log = logs.get(kept);
    if (log === undefined) return found;
    await log.flush();
    for await (const { bytes } of log.read()) found.push(Buffer.from(bytes).toString());
    return found;
  };
  return {
    trail,
    directory,
    clock,
    logs,
    keys,
    floods,
    disk,
    texts,
    async events(kept) {
      return (await texts(kept)).map((text) => {
        const event = readEvent(Buffer.from(text));
        if (!event.allowed) throw new Error(event.reason);
        return event.value;
      });
    },
    reopen: (wanted = {}, store = keys) => open(wanted, store),
    async [Symbol.asyncDispose]() {
      await trail.close();
      await keys[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
