/**
 * @module The fixture of the file cases as real files in a temporary folder. What cannot be made,
 * for want of root or of the file system's help, is named as missing.
 */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** `[kind, path, extra]` of the case file. */
export type FixtureEntry = readonly [kind: string, path: string, extra?: string | number];

export interface FileTree extends Disposable {
  readonly top: string;
  readonly missing: ReadonlySet<string>;
}

/** Builds the tree under a new temporary folder. */
export function buildTree(fixture: readonly FixtureEntry[]): FileTree {
  const top = fs.mkdtempSync(join(tmpdir(), "broker-files-"));
  const missing = new Set<string>();
  for (const entry of fixture) {
    try {
      make(top, entry);
    } catch {
      missing.add(entry[1]);
    }
  }
  return { top, missing, [Symbol.dispose]: () => fs.rmSync(top, { recursive: true, force: true }) };
}

/** Creates one empty file with its folders, where the file system allows the name. */
export function plantFile(path: string): void {
  try {
    fs.mkdirSync(dirname(path), { recursive: true });
    fs.writeFileSync(path, "{}", { flag: "wx" });
  } catch {
    // It exists, or this name cannot: either way there is nothing to plant.
  }
}

/** Everything under `outside/` and the look-alike folders, as one string to compare. */
export function outsideOf(top: string): string {
  const seen: string[] = [];
  for (const folder of ["outside", "input-evil", "inputx"]) {
    for (const name of fs
      .readdirSync(join(top, folder), { recursive: true, encoding: "utf8" })
      .toSorted()) {
      const path = join(top, folder, name);
      const stats = fs.lstatSync(path);
      seen.push(
        [
          path,
          stats.mode,
          stats.nlink,
          stats.mtimeMs,
          stats.isFile() ? fs.readFileSync(path, "utf8") : "",
        ].join(" "),
      );
    }
  }
  return seen.join("\n");
}

function make(top: string, [kind, name, extra = ""]: FixtureEntry): void {
  const path = join(top, name);
  const text = String(extra);
  switch (kind) {
    case "dir":
      return void fs.mkdirSync(path, { recursive: true });
    case "file":
      return fs.writeFileSync(path, text);
    case "noperm":
      return fs.writeFileSync(path, text, { mode: 0 });
    case "setuid":
      fs.writeFileSync(path, text);
      return fs.chmodSync(path, 0o4755);
    case "symlink":
      return fs.symlinkSync(text.replace("$T", top), path);
    case "hardlink":
      return fs.linkSync(join(top, text), path);
    case "sparse":
      fs.writeFileSync(path, "");
      return fs.truncateSync(path, Number(extra));
    case "big":
      return fs.writeFileSync(path, Buffer.alloc(Number(extra)));
    case "deep":
      fs.mkdirSync(join(path, ...Array<string>(Number(extra)).fill("d")), { recursive: true });
      return fs.writeFileSync(
        join(path, ...Array<string>(Number(extra)).fill("d"), "x.json"),
        "{}",
      );
    case "fifo":
      return void execFileSync("mkfifo", [path], { stdio: "ignore" });
    case "socket":
      // A socket's file outlives the process that bound it.
      return void execFileSync(
        process.execPath,
        ["-e", "require('net').createServer().listen(process.argv[1],()=>process.exit())", path],
        { stdio: "ignore" },
      );
    case "chardev":
    case "blockdev":
      return void execFileSync(
        "mknod",
        [path, kind === "chardev" ? "c" : "b", ...text.split(",")],
        { stdio: "ignore" },
      );
    default:
      return fs.writeFileSync(path, text);
  }
}
