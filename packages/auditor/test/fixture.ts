/** Logs in temporary directories, a file system that fails on demand, and readers of what is there. */
import { hash } from "node:crypto";
import { constants } from "node:fs";
import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  type Auditor,
  type AuditorDeps,
  type AuditorOptions,
  type LogFile,
  type LogFileSystem,
  openAuditor,
} from "@glovebox/auditor";
import type { Allowed } from "@glovebox/core/decision";
import type { AuditEvent, AuditPlace } from "@glovebox/core/ports";
import { expect } from "vitest";

/** A line as JSON. */
export interface Line {
  readonly event: AuditEvent & { readonly pluginId?: string };
  readonly hash: string;
  readonly index: number;
  readonly prev: string;
  readonly time: number;
}

/** A directory that does not exist yet, inside of one that is removed in the end. */
export interface LogDirectory extends AsyncDisposable {
  readonly path: string;
  /** The log's file. */
  readonly file: string;
  open(options?: Partial<AuditorOptions>, deps?: AuditorDeps): Promise<Auditor>;
  text(): Promise<string>;
  lines(): Promise<readonly Line[]>;
  kinds(): Promise<readonly string[]>;
  write(content: string | Uint8Array): Promise<void>;
}

export async function logDirectory(): Promise<LogDirectory> {
  const parent = await mkdtemp(join(tmpdir(), "glovebox-auditor-"));
  const path = join(parent, "audit");
  const file = join(path, "audit.jsonl");
  const text = (): Promise<string> => readFile(file, "utf8");
  const lines = async (): Promise<readonly Line[]> =>
    (await text())
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Line);
  return {
    path,
    file,
    open: (options, deps) => openAuditor({ directory: path, ...options }, deps),
    text,
    lines,
    kinds: async () => (await lines()).map((line) => line.event.kind),
    write: (content) => writeFile(file, content),
    [Symbol.asyncDispose]: () => rm(parent, { recursive: true, force: true }),
  };
}

/** An event of any kind. */
export function event(kind = "call", more: Partial<AuditEvent> = {}): AuditEvent {
  return { kind, success: true, ...more };
}

/** Records, and expects it to be taken. */
export function taken(auditor: Auditor, recorded: AuditEvent = event()): AuditPlace {
  const decision = auditor.record({}, recorded);
  expect(decision).toMatchObject({ allowed: true });
  return (decision as Allowed<AuditPlace>).value;
}

/** A whole log of `events` calls, closed. */
export async function writtenLog(events: number): Promise<LogDirectory> {
  const directory = await logDirectory();
  const auditor = await directory.open({ origin: "test" });
  for (let n = 0; n < events; n += 1) taken(auditor, event("call", { details: { n } }));
  await auditor.close();
  return directory;
}

/** A line whose hash fits, whatever it says. */
export function forgedLine(json: string, index: number, prev: string, time = 1): string {
  const tail = `,"index":${index},"prev":"${prev}","time":${time}}`;
  const digest = hash("sha256", `{"event":${json}${tail}`);
  return `{"event":${json},"hash":"${digest}"${tail}\n`;
}

/** What can go wrong with the disk; each is called before the real operation, or in its place. */
export interface Faults {
  /** Answers how many bytes to take; throws to fail. */
  write?: (bytes: Uint8Array) => number;
  sync?: () => void | Promise<void>;
  readonly log?: string[];
}

/** A real file whose writes and syncs can fail. */
export function faultyFileSystem(faults: Faults): LogFileSystem {
  return {
    async openLog(path) {
      const handle = await open(path, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT);
      const file: LogFile = {
        size: async () => (await handle.stat()).size,
        async read(position, length) {
          const { buffer, bytesRead } = await handle.read(
            Buffer.alloc(length),
            0,
            length,
            position,
          );
          return buffer.subarray(0, bytesRead);
        },
        async write(bytes) {
          const count = faults.write?.(bytes) ?? bytes.length;
          faults.log?.push("write");
          await handle.write(bytes.subarray(0, count));
          return count;
        },
        truncate: (size) => handle.truncate(size),
        async sync() {
          await faults.sync?.();
          faults.log?.push("sync");
        },
        close: () => handle.close(),
      };
      return file;
    },
    syncDirectory: async () => void faults.log?.push("directory"),
  };
}
