/** Logs in temporary directories, a file system that fails on demand, and readers of what is there. */
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  type Auditor,
  type AuditorDeps,
  type AuditorOptions,
  openAuditor,
} from "@glovebox/auditor";
import {
  type AuditLog,
  type AuditLogDeps,
  type LogFile,
  type LogFileSystem,
  openAuditLog,
  openLogReader,
} from "@glovebox/auditor/log";
import type { Allowed } from "@glovebox/core/decision";
import type { AuditEvent, AuditPlace } from "@glovebox/core/ports";
import { createNoteSigner, type NoteSigner } from "@glovebox/tlog/note";
import { expect } from "vitest";

import { nodeFileSystem } from "#src/log/file-system";

export const ORIGIN = "log.example/test";

export function newSigner(name = ORIGIN): NoteSigner {
  return createNoteSigner({ name, privateKey: generateKeyPairSync("ed25519").privateKey });
}

/** One key for all logs of a test file. */
export const SIGNER: NoteSigner = newSigner();

/** A directory that does not exist yet, inside of one that is removed in the end. */
export interface LogDirectory extends AsyncDisposable {
  /** What an auditor is given; it keeps one log in it, that of the class `security`. */
  readonly root: string;
  /** The directory of that log, and of `openLog`. */
  readonly path: string;
  readonly anchorPath: string;
  /** A path inside of the directory. */
  file(name: string): string;
  open(options?: Partial<AuditorOptions>, deps?: AuditorDeps): Promise<Auditor>;
  openLog(
    deps?: Partial<AuditLogDeps>,
    options?: { maxQueuedEntries?: number; sealIntervalMs?: number },
  ): Promise<AuditLog>;
  checkpoint(): Promise<string>;
}

export async function logDirectory(): Promise<LogDirectory> {
  const parent = await mkdtemp(join(tmpdir(), "glovebox-auditor-"));
  const root = join(parent, "audit");
  const path = join(root, "security");
  return {
    root,
    path,
    anchorPath: join(`${root}.checkpoints`, "security"),
    file: (name) => join(path, name),
    open: (options, deps) =>
      openAuditor({ directory: root, classes: ["security"], ...options }, deps),
    openLog: async (deps, options) =>
      (
        await openAuditLog(
          { directory: path, origin: ORIGIN, ...options },
          { signers: [SIGNER], ...deps },
        )
      ).log,
    checkpoint: () => readFile(join(path, "checkpoint"), "utf8"),
    [Symbol.asyncDispose]: () => rm(parent, { recursive: true, force: true }),
  };
}

/** A closed log of entries `entry 0`, `entry 1` and so on. */
export async function writtenLog(entries: number): Promise<LogDirectory> {
  const directory = await logDirectory();
  const log = await directory.openLog();
  for (let index = 0; index < entries; index += 1) await log.append(`entry ${index}`);
  await log.close();
  return directory;
}

/** All entries of an open log as text. */
export async function entriesOf(log: AuditLog): Promise<readonly string[]> {
  const texts: string[] = [];
  for await (const { bytes } of log.read()) texts.push(Buffer.from(bytes).toString());
  return texts;
}

/** What an auditor sealed, as JSON. */
export async function eventsOf({
  path,
}: {
  readonly path: string;
}): Promise<readonly LoggedEvent[]> {
  const reader = await openLogReader(path);
  const { sealedSize } = await reader.state();
  const events: LoggedEvent[] = [];
  for await (const { bytes } of reader.read(0, sealedSize)) {
    events.push(JSON.parse(Buffer.from(bytes).toString()) as LoggedEvent);
  }
  return events;
}

export type LoggedEvent = AuditEvent & Readonly<Record<string, unknown>>;

export async function kindsOf(directory: { readonly path: string }): Promise<readonly string[]> {
  return (await eventsOf(directory)).map(({ kind }) => kind);
}

/** An event of any kind. */
export function event(kind = "load", more: Partial<AuditEvent> = {}): AuditEvent {
  return { kind, success: true, ...more };
}

/** Records, and expects it to be taken. */
export function taken(auditor: Auditor, recorded: AuditEvent = event()): AuditPlace {
  const decision = auditor.record({}, recorded);
  expect(decision).toMatchObject({ allowed: true });
  return (decision as Allowed<AuditPlace>).value;
}

/** What can go wrong with the disk; each is called before the real operation, or in its place. */
export interface Faults {
  /** Answers how many bytes to take; throws to fail. */
  write?: (path: string, bytes: Uint8Array) => number;
  sync?: (path: string) => void | Promise<void>;
  rename?: (to: string) => void;
  syncDirectory?: (path: string) => void;
}

/** The machine's file system, whose operations can fail. */
export function faultyFileSystem(faults: Faults): LogFileSystem {
  return {
    ...nodeFileSystem,
    async open(path, mode) {
      const file = await nodeFileSystem.open(path, mode);
      if (file === undefined) return undefined;
      const faulty: LogFile = {
        ...file,
        write: async (bytes, position) =>
          file.write(bytes.subarray(0, faults.write?.(path, bytes) ?? bytes.length), position),
        async sync() {
          await faults.sync?.(path);
          await file.sync();
        },
      };
      return faulty;
    },
    async rename(from, to) {
      faults.rename?.(to);
      await nodeFileSystem.rename(from, to);
    },
    async syncDirectory(path) {
      faults.syncDirectory?.(path);
      await nodeFileSystem.syncDirectory(path);
    },
  };
}
