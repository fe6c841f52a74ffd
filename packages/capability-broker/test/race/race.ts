/**
 * @module A race for a name: a child swaps it with something hostile as fast as it can, while the
 * same operation is tried again and again, first by a control that checks the path and then opens it
 * (which must be caught at least once, or the race proves nothing), then through the broker.
 */
import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { basename, dirname, join, relative } from "node:path";

/** What the name is swapped with. */
export interface Swap {
  /** Path below the tree, of the name that is swapped. */
  readonly a: string;
  readonly b: {
    readonly kind: "symlink" | "fifo" | "hardlink" | "dir-outside";
    readonly target?: string;
  };
}

/** What a try came to: it did its work, was refused, or went outside. */
export type Seen = "done" | "refused" | "escaped";

/** An operation that is raced for. */
export interface Raced {
  readonly op: string;
  /** Path of the object below the tree. */
  readonly path: string;
  /** New path of a rename. */
  readonly to?: string;
  /** What a read or a stat of the right object says. */
  readonly expected?: string;
}

/** What a race came to. */
export interface RaceResult {
  readonly done: number;
  readonly refused: number;
  readonly escapes: number;
  readonly swaps: number;
  readonly swapMs: number;
}

const OTHER = ".swapped-with";

/** Tries until `tries` were made and both states were seen, or `maxMs` are over. */
export async function race(
  top: string,
  swap: Swap,
  raced: Raced,
  attempt: () => Promise<Seen> | Seen,
  until: (result: RaceResult) => boolean,
  maxMs: number,
): Promise<RaceResult> {
  using held = holdFolder(top, raced);
  const child = await startSwapper(top, swap);
  const counts = { done: 0, refused: 0, escapes: 0, swaps: 0, swapMs: 0 };
  const started = performance.now();
  let before = outsideMark(top, swap);
  while (!until(counts) && performance.now() - started < maxMs) {
    held.reset();
    const seen = await attempt();
    const after = outsideMark(top, swap);
    if (seen === "escaped" || after !== before) counts.escapes += 1;
    else counts[seen] += 1;
    before = after;
  }
  const { swaps, ms } = await stopSwapper(child);
  return { ...counts, swaps, swapMs: ms };
}

/** The control: what the path leads to is checked, and then the path is used. */
export function controlOf(top: string, raced: Raced, root: string): () => Seen {
  const path = join(top, raced.path);
  const inside = (checked: string): void => {
    if (!fs.realpathSync(checked).startsWith(join(fs.realpathSync(top), root)))
      throw new Error("outside");
  };
  const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_TRUNC, O_NONBLOCK } = fs.constants;
  const open = (flags: number): string => {
    const fd = fs.openSync(path, flags | O_NONBLOCK, 0o600);
    try {
      const stats = fs.fstatSync(fd);
      // Reached what must not be opened at all.
      if (!stats.isFile() || stats.nlink > 1) return "REACHED";
      return flags === O_RDONLY ? fs.readFileSync(fd, "utf8") : "";
    } finally {
      fs.closeSync(fd);
    }
  };
  const operations: Readonly<Record<string, () => string>> = {
    read: () => (inside(path), open(O_RDONLY)),
    write: () => (inside(path), open(O_WRONLY | O_TRUNC)),
    create: () => (inside(dirname(path)), open(O_WRONLY | O_CREAT | O_EXCL)),
    mkdir: () => (inside(dirname(path)), fs.mkdirSync(path), ""),
    delete: () => (inside(path), fs.unlinkSync(path), ""),
    rename: () => (inside(path), fs.renameSync(path, join(top, raced.to ?? "")), ""),
    list: () => (inside(path), visible(fs.readdirSync(path))),
    stat: () => (inside(path), String(fs.statSync(path).size)),
  };
  return () => {
    try {
      const said = operations[raced.op]?.() ?? "";
      return isExpected(raced, said) ? "done" : "escaped";
    } catch {
      return "refused";
    }
  };
}

/** Whether what an operation said is the right object's, where it says something. */
export function isExpected({ op, expected }: Raced, said: string): boolean {
  return !["read", "stat", "list"].includes(op) || expected === undefined || said === expected;
}

/** Keeps the folder open that holds the object, wherever it is by now, and puts back what a try used up. */
function holdFolder(top: string, { op, path, to }: Raced): Disposable & { reset(): void } {
  const fd = fs.openSync(
    dirname(join(top, path)),
    fs.constants.O_RDONLY | fs.constants.O_DIRECTORY,
  );
  const own = `/proc/self/fd/${fd}/${basename(path)}`;
  const renamed = `/proc/self/fd/${fd}/${basename(to ?? path)}`;
  const resets: Readonly<Record<string, () => void>> = {
    create: () => fs.rmSync(own, { force: true }),
    mkdir: () => fs.rmSync(own, { force: true, recursive: true }),
    delete: () => fs.existsSync(own) || fs.writeFileSync(own, "inside"),
    rename: () => fs.existsSync(renamed) && fs.renameSync(renamed, own),
  };
  return { reset: () => resets[op]?.(), [Symbol.dispose]: () => fs.closeSync(fd) };
}

/** Changes with every change outside, but for what the swapper itself moves there. */
function outsideMark(top: string, { b }: Swap): string {
  const swapped = b.kind === "dir-outside" ? dirname(b.target ?? "") : undefined;
  return ["outside", "outside/dir", "outside/secret.json"]
    .filter((name) => name !== swapped)
    .map((name) => fs.lstatSync(join(top, name), { bigint: true }))
    .map((stats) => `${stats.mtimeNs} ${stats.size}`)
    .join();
}

/** What is said of the right object. */
export function expectedOf(top: string, { op, path }: Raced): string | undefined {
  const object = join(top, path);
  if (op === "read") return fs.readFileSync(object, "utf8");
  if (op === "stat") return String(fs.statSync(object).size);
  return op === "list" ? visible(fs.readdirSync(object)) : undefined;
}

/** Names of a folder as a plugin is told them. */
export function visible(names: readonly string[]): string {
  return names
    .filter((name) => !name.startsWith("."))
    .toSorted()
    .join();
}

async function startSwapper(top: string, { a, b }: Swap): Promise<ChildProcess> {
  const folder = join(top, dirname(a));
  const other = join(folder, OTHER);
  const target = b.target ?? "";
  fs.rmSync(other, { force: true });
  if (b.kind === "symlink") fs.symlinkSync(target, other);
  if (b.kind === "hardlink") fs.linkSync(join(top, target), other);
  if (b.kind === "fifo") execFileSync("mkfifo", [other]);
  const names = b.kind === "dir-outside" ? [relative(folder, join(top, target)), "away"] : [OTHER];
  const child = fork(new URL("swapper.ts", import.meta.url), [folder, basename(a), ...names], {
    execArgv: ["--conditions=@glovebox/source", "--no-warnings"],
  });
  await once(child, "message");
  return child;
}

async function stopSwapper(child: ChildProcess): Promise<{ swaps: number; ms: number }> {
  child.send("stop");
  const [answer] = await once(child, "message");
  if (child.exitCode === null) await once(child, "exit");
  return answer as { swaps: number; ms: number };
}
