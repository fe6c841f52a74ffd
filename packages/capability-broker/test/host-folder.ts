/** @module A host folder for one test, and files of a broker that serves it. */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { RootPolicy } from "@glovebox/capability-broker";
import type { FilePort, FileRight } from "@glovebox/core/ports";
import { callScope } from "@glovebox/testkit";

import { ALL_RIGHTS, type Lab, type LabOptions, createLab, valueOf } from "./lab.ts";

/** Both ways to open what lies below a folder; everything must hold with each. */
export const OPENERS = ["openat2", "walk"] as const;

/** Some rights. */
export const rights = (...list: FileRight[]): ReadonlySet<FileRight> => new Set(list);

/** A text as bytes. */
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A folder with `in` and `out`; `out/secret.txt` holds SECRET. */
export class HostFolder implements AsyncDisposable {
  readonly top: string = fs.mkdtempSync(join(tmpdir(), "broker-host-"));
  readonly #labs: Lab[] = [];

  constructor() {
    for (const name of ["in", "out"]) fs.mkdirSync(join(this.top, name));
    this.write("out/secret.txt", "SECRET");
  }

  /** A broker that serves `in` as `/data` with every right. */
  lab(root: Partial<RootPolicy> = {}, more: Partial<LabOptions> = {}): Lab {
    const base = {
      guest: "/data",
      host: join(this.top, "in"),
      allowRead: false,
      allowWrite: false,
    };
    const lab = createLab({
      policy: { filesystem: { roots: [{ ...base, rights: ALL_RIGHTS, ...root }] } },
      ...more,
    });
    this.#labs.push(lab);
    return lab;
  }

  files(root: Partial<RootPolicy> = {}, more: Partial<LabOptions> = {}): FilePort {
    const lab = this.lab(root, more);
    return lab.broker.files(lab.grant());
  }

  path(name: string): string {
    return join(this.top, name);
  }

  write(name: string, content: string): void {
    fs.mkdirSync(join(this.top, name, ".."), { recursive: true });
    fs.writeFileSync(this.path(name), content);
  }

  read(name: string): string {
    return fs.readFileSync(this.path(name), "utf8");
  }

  names(name: string): readonly string[] {
    return fs.readdirSync(this.path(name)).toSorted();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const lab of this.#labs) await lab.broker.close();
    fs.rmSync(this.top, { recursive: true, force: true });
  }
}

/** What a plugin reads of a file. */
export async function readText(files: FilePort, path: string): Promise<string> {
  const opened = await files.open(callScope(), path, rights("read"));
  if (!opened.allowed) return opened.code;
  await using handle = opened.value;
  return Buffer.from(await handle.readAt(0, 65_536)).toString();
}

/** Writes and closes. */
export async function writeText(files: FilePort, path: string, ...parts: string[]): Promise<void> {
  const handle = valueOf(
    await files.open(callScope(), path, rights("create", "write", "truncate"), { truncate: true }),
  );
  let at = 0;
  for (const part of parts) {
    await handle.writeAt(at, bytes(part));
    at += part.length;
  }
  await handle.close();
}
