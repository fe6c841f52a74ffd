/**
 * A disk in memory that keeps no promise but those of POSIX: what was written is there for everyone,
 * and after a power cut only what was synced surely is. Of the rest any part may have arrived: each
 * write whole, torn or not at all; each name that was made, removed or renamed, or not.
 */
import { dirname } from "node:path";
import { setImmediate } from "node:timers/promises";

import type { LogFile, LogFileSystem } from "@glovebox/auditor/log";

/** A number in [0, 1). */
export type Random = () => number;

/** Mulberry32: the same seed gives the same chaos. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A step that a disk takes. */
export interface DiskStep {
  readonly kind: "write" | "truncate" | "sync" | "rename" | "remove" | "make" | "syncDirectory";
  readonly path: string;
}

/** What goes wrong on purpose. */
export interface DiskFaults {
  /** Called before each step; throws in place of it. */
  onStep?: (step: DiskStep, disk: SimulatedDisk) => void;
  /** How many bytes a write takes; default all. */
  takes?: (path: string, length: number) => number;
  /** A sync that does nothing: what a mutation of the code would do. */
  skips?: (step: DiskStep) => boolean;
}

type Change = { readonly offset: number; readonly bytes: Buffer } | { readonly size: number };

interface FileNode {
  content: Buffer;
  synced: Buffer;
  /** Since the last sync, in order. */
  changes: Change[];
}

type Node = FileNode | "directory";
type NameChange = readonly (readonly [name: string, node: Node | undefined])[];

interface Directory {
  names: Map<string, Node>;
  synced: Map<string, Node>;
  changes: NameChange[];
}

/** The disk. */
export class SimulatedDisk implements LogFileSystem {
  faults: DiskFaults = {};
  steps = 0;
  #directories = new Map<string, Directory>([["/", emptyDirectory()]]);

  async open(
    path: string,
    mode: Parameters<LogFileSystem["open"]>[1],
  ): Promise<LogFile | undefined> {
    const directory = this.#directoryOf(path);
    const name = nameOf(path);
    let node = directory?.names.get(name);
    if (node === "directory") throw failure("EISDIR", path);
    if (mode === "read" && node === undefined) return undefined;
    if (directory === undefined) throw failure("ENOENT", path);
    if (mode === "create" && node !== undefined) throw failure("EEXIST", path);
    if (node === undefined) {
      this.#step({ kind: "make", path });
      node = { content: Buffer.alloc(0), synced: Buffer.alloc(0), changes: [] };
      change(directory, [[name, node]]);
    } else if (mode === "replace") {
      this.#step({ kind: "truncate", path });
      resize(node, 0);
    }
    return this.#fileOver(path, node);
  }

  #fileOver(path: string, node: FileNode): LogFile {
    return {
      size: async () => node.content.length,
      read: async (position, length, into = Buffer.alloc(length)) => {
        const taken = node.content.subarray(position, position + length);
        into.set(taken);
        return into.subarray(0, taken.length);
      },
      write: async (bytes, offset) => {
        this.#step({ kind: "write", path });
        const taken = Math.min(
          bytes.length,
          this.faults.takes?.(path, bytes.length) ?? bytes.length,
        );
        const copy = Buffer.from(bytes.subarray(0, taken));
        node.changes.push({ offset, bytes: copy });
        node.content = resized(node.content, Math.max(node.content.length, offset + taken));
        copy.copy(node.content, offset);
        return taken;
      },
      truncate: async (size) => {
        if (size === node.content.length) return;
        this.#step({ kind: "truncate", path });
        resize(node, size);
      },
      sync: async () => {
        const step = { kind: "sync", path } as const;
        try {
          this.#step(step);
        } catch (error) {
          // The kernel has dropped the pages, and a second sync would say "done" of them.
          node.changes = [];
          throw error;
        }
        if (this.faults.skips?.(step) === true) return;
        // It takes its time, in which others work on, and vouches for what was written before it.
        const { content, changes } = node;
        node.changes = [...changes];
        await setImmediate();
        node.synced = content;
        node.changes = node.changes.slice(changes.length);
      },
      close: async () => undefined,
    };
  }

  holds(path: string, bytes: Uint8Array): boolean {
    const node = this.#directoryOf(path)?.names.get(nameOf(path));
    return node !== undefined && node !== "directory" && node.content.equals(bytes);
  }

  async rename(from: string, to: string): Promise<void> {
    this.#step({ kind: "rename", path: to });
    const directory = this.#directoryOf(from);
    const node = directory?.names.get(nameOf(from));
    if (directory === undefined || node === undefined || dirname(from) !== dirname(to))
      throw failure("ENOENT", from);
    change(directory, [
      [nameOf(from), undefined],
      [nameOf(to), node],
    ]);
  }

  async remove(path: string): Promise<void> {
    const directory = this.#directoryOf(path);
    if (directory?.names.has(nameOf(path)) !== true) return;
    this.#step({ kind: "remove", path });
    change(directory, [[nameOf(path), undefined]]);
    for (const known of this.#directories.keys()) {
      if (known === path || known.startsWith(`${path}/`)) this.#directories.delete(known);
    }
  }

  async list(path: string): Promise<readonly string[]> {
    return [...(this.#directories.get(path)?.names.keys() ?? [])];
  }

  async makeDirectory(path: string): Promise<string | undefined> {
    if (this.#directories.has(path)) return undefined;
    const above = await this.makeDirectory(dirname(path));
    this.#step({ kind: "make", path });
    this.#directories.set(path, emptyDirectory());
    const parent = this.#directories.get(dirname(path));
    if (parent !== undefined) change(parent, [[nameOf(path), "directory"]]);
    return above ?? path;
  }

  async syncDirectory(path: string): Promise<void> {
    const step = { kind: "syncDirectory", path } as const;
    this.#step(step);
    const directory = this.#directories.get(path);
    if (directory === undefined) throw failure("ENOENT", path);
    if (this.faults.skips?.(step) === true) return;
    directory.synced = new Map(directory.names);
    directory.changes = [];
  }

  /** The disk after the power went now: one of the many that it may be. */
  afterPowerCut(random: Random): SimulatedDisk {
    const after = new SimulatedDisk();
    const files = new Map<FileNode, FileNode>();
    const survive = (node: Node): Node => {
      if (node === "directory") return node;
      const known = files.get(node);
      if (known !== undefined) return known;
      const content = survivingContent(node, random);
      const copy = { content, synced: content, changes: [] };
      files.set(node, copy);
      return copy;
    };
    // A hurried disk has written almost all of it, a lazy one almost nothing.
    const eagerness = random();
    after.#directories = new Map();
    const visit = (path: string): void => {
      const { synced, changes } = this.#directories.get(path) ?? emptyDirectory();
      const names = new Map(synced);
      for (const part of changes) {
        if (random() > eagerness) continue;
        for (const [name, node] of part) {
          if (node === undefined) names.delete(name);
          else names.set(name, node);
        }
      }
      const surviving = new Map([...names].map(([name, node]) => [name, survive(node)] as const));
      after.#directories.set(path, { names: surviving, synced: new Map(surviving), changes: [] });
      for (const [name, node] of surviving) {
        if (node === "directory") visit(path === "/" ? `/${name}` : `${path}/${name}`);
      }
    };
    visit("/");
    return after;
  }

  #step(step: DiskStep): void {
    this.steps += 1;
    this.faults.onStep?.(step, this);
  }

  #directoryOf(path: string): Directory | undefined {
    return this.#directories.get(dirname(path));
  }
}

const SECTOR_BYTES = 512;

function survivingContent({ synced, changes }: FileNode, random: Random): Buffer {
  const eagerness = random();
  let content = synced;
  for (const part of changes) {
    if (random() > eagerness) continue;
    if ("size" in part) {
      content = resized(content, part.size);
      continue;
    }
    // A write may be torn, and what lies before it may be missing: zeros, or old content.
    const length = random() < 0.3 ? Math.floor(random() * part.bytes.length) : part.bytes.length;
    const end = part.offset + length;
    const next = resized(content, Math.max(content.length, end));
    if (random() < 0.1) next.fill(Math.floor(random() * 256), content.length);
    // A disk writes sectors in any order, and need not come to all of them.
    const arrives = random() < 0.2 ? () => random() < 0.5 : () => true;
    for (let at = 0; at < length; at += SECTOR_BYTES) {
      if (arrives())
        part.bytes.copy(next, part.offset + at, at, Math.min(at + SECTOR_BYTES, length));
    }
    content = next;
  }
  return content;
}

function resize(node: FileNode, size: number): void {
  node.changes.push({ size });
  node.content = resized(node.content, size);
}

function resized(content: Buffer, size: number): Buffer {
  const next = Buffer.alloc(size);
  content.copy(next);
  return next;
}

function change(directory: Directory, part: NameChange): void {
  directory.changes.push(part);
  for (const [name, node] of part) {
    if (node === undefined) directory.names.delete(name);
    else directory.names.set(name, node);
  }
}

function emptyDirectory(): Directory {
  return { names: new Map(), synced: new Map(), changes: [] };
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
