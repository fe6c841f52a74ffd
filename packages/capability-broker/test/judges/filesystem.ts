/**
 * @module Judges the file cases: each operation goes through a real broker to real files, and
 * besides the verdict counts whether anything outside the roots changed.
 */
import type { HostPolicy } from "@glovebox/capability-broker";
import { BrokerError } from "@glovebox/capability-broker";
import type { Decision } from "@glovebox/core/decision";
import type { FileHandle, FileRight } from "@glovebox/core/ports";
import { callScope } from "@glovebox/testkit";
import type { CaseJudge, CaseVerdict, TestCase } from "@glovebox/testkit/cases";

import { type FileTree, type FixtureEntry, buildTree, outsideOf, plantFile } from "../file-tree.ts";
import { createLab, forgetfulLog } from "../lab.ts";
import {
  type RaceResult,
  type Raced,
  type Seen,
  type Swap,
  controlOf,
  expectedOf,
  isExpected,
  race,
  visible,
} from "../race/race.ts";

interface FileCase {
  readonly id: string;
  readonly severity: string;
  readonly expected: string;
  readonly category: string;
  readonly op: string;
  readonly path: unknown;
  readonly to?: unknown;
  readonly bytes?: number;
  readonly offset?: number;
  readonly swap?: Swap;
  readonly minTries?: number;
}

interface CaseRoot {
  readonly guest: string;
  readonly host: string;
  readonly access: readonly FileRight[];
  readonly extensions: readonly string[] | "*";
  readonly maxFileBytes: number;
  readonly quotaBytes?: number;
  readonly maxFiles?: number;
  readonly maxDepth?: number;
}

/** Builds the shared tree when the first case comes; disposing removes it. A race makes at most `maxTries`. */
export async function openFilesystemJudge(
  maxTries = Infinity,
): Promise<AsyncDisposable & { readonly judge: CaseJudge }> {
  let shared: FileTree | undefined;
  return {
    async judge(testCase, { file }) {
      const fixture = file["fixture"] as readonly FixtureEntry[] | undefined;
      if (fixture === undefined) return { kind: "fail", reason: "the file has no `fixture`" };
      shared ??= buildTree(fixture);
      return judge(testCase, file.policies, fixture, shared, maxTries);
    },
    async [Symbol.asyncDispose]() {
      shared?.[Symbol.dispose]();
    },
  };
}

function policyOf(roots: readonly CaseRoot[], top: string): HostPolicy {
  return {
    filesystem: {
      roots: roots.map(
        ({ guest, host, access, extensions, maxFileBytes, quotaBytes, maxFiles, maxDepth }) => ({
          guest,
          host: host.replace("$T", top),
          allowRead: false,
          allowWrite: false,
          // The cases' `write` cuts a file too.
          rights: access.includes("write") ? [...access, "truncate"] : access,
          extensions,
          maxFileBytes,
          ...(quotaBytes === undefined ? {} : { quotaBytes }),
          ...(maxFiles === undefined ? {} : { maxFiles }),
          ...(maxDepth === undefined ? {} : { maxDepth }),
        }),
      ),
    },
  };
}

const READS_ONLY = new Set(["read", "stat", "list"]);

async function judge(
  raw: TestCase,
  policies: Readonly<Record<string, unknown>>,
  fixture: readonly FixtureEntry[],
  shared: FileTree,
  maxTries: number,
): Promise<CaseVerdict> {
  const testCase = raw as unknown as FileCase;
  const roots = Object.values(policies) as CaseRoot[];
  if (testCase.swap !== undefined) return judgeRace(testCase, roots, fixture, maxTries);
  // A new tree where the case changes something; building one takes a second.
  using own =
    READS_ONLY.has(testCase.op) && testCase.severity !== "hygiene"
      ? undefined
      : buildTree(fixture.filter((entry) => isNeeded(entry, testCase)));
  const tree = own ?? shared;
  const missing = [...tree.missing].find((name) =>
    String(testCase.path).endsWith(name.replace(/^(?:input|cache)/, "")),
  );
  if (missing !== undefined)
    return { kind: "skip", reason: `the fixture ${missing} cannot be made here` };
  await using lab = createLab({ policy: policyOf(roots, tree.top) });
  const files = lab.broker.files(lab.grant());
  const path = pathOf(testCase.path);
  if (testCase.severity === "hygiene") plant(roots, tree.top, path);
  const before = outsideOf(tree.top);
  const outcome = await run(files, testCase, path as string, pathOf(testCase.to) as string);
  if (outsideOf(tree.top) !== before) return { kind: "fail", reason: "something outside changed" };
  if (outcome.code === "BROKER_FILE_NOT_FOUND" && testCase.severity === "hygiene") {
    return { kind: "fail", reason: "not found, which is no refusal here" };
  }
  if (testCase.op === "read" && outcome.content !== undefined) {
    const expected =
      fixture.find(([, name]) => guestOf(roots, name) === normal(String(path)))?.[2] ?? "";
    if (outcome.content !== String(expected))
      return { kind: "fail", reason: "other content than the fixture's" };
  }
  return {
    kind: "verdict",
    verdict: outcome.code === "allowed" ? "allow" : "deny",
    reason: outcome.code,
  };
}

/** Entries that take long to make are made only for the cases that name them. */
function isNeeded([kind, name]: FixtureEntry, { path }: Pick<FileCase, "path">): boolean {
  const isSlow = ["deep", "socket", "chardev", "blockdev", "fifo", "big", "sparse"].includes(kind);
  return !isSlow || String(path).includes(name.slice(name.indexOf("/")));
}

async function run(
  files: ReturnType<ReturnType<typeof createLab>["broker"]["files"]>,
  testCase: FileCase,
  path: string,
  to: string,
): Promise<{ readonly code: string; readonly content?: string }> {
  const scope = callScope();
  const with_ = async (
    rights: readonly FileRight[],
    use: (handle: FileHandle) => Promise<string | void>,
    exclusive = false,
  ) => {
    const opened = await files.open(scope, path, new Set(rights), { exclusive });
    if (!opened.allowed) return { code: opened.code };
    await using handle = opened.value;
    try {
      const content = await use(handle);
      return { code: "allowed", ...(content === undefined ? {} : { content }) };
    } catch (error) {
      if (error instanceof BrokerError) return { code: error.code };
      throw error;
    }
  };
  const said = (decision: Decision<unknown>) => ({
    code: decision.allowed ? "allowed" : decision.code,
  });
  const bytes = new Uint8Array(testCase.bytes ?? 1).fill(120);
  switch (testCase.op) {
    case "read":
      return with_(["read"], async (handle) =>
        Buffer.from(await handle.readAt(0, 1_048_576)).toString(),
      );
    case "create":
      return with_(
        ["create", "write"],
        (handle) => handle.writeAt(testCase.offset ?? 0, bytes),
        true,
      );
    case "write":
      return with_(["write", "truncate"], async (handle) => {
        await handle.truncate(0);
        await handle.writeAt(0, bytes);
      });
    case "append":
      return with_(["append"], async (handle) => handle.writeAt((await handle.stat()).size, bytes));
    case "truncate":
      return with_(["truncate"], (handle) => handle.truncate(0));
    case "utimes":
      return with_(["read", "setTimes"], (handle) =>
        handle.setTimes({ accessedMs: 0, modifiedMs: 0 }),
      );
    case "stat": {
      const told = await files.stat(scope, path);
      return told.allowed
        ? { code: "allowed", content: String(told.value.size) }
        : { code: told.code };
    }
    case "list": {
      const page = await files.list(scope, path, undefined, 1_000);
      return page.allowed
        ? { code: "allowed", content: visible(page.value.entries.map(({ name }) => name)) }
        : { code: page.code };
    }
    case "symlink":
      return said(await files.symlink(scope, to, path));
    case "link":
      return said(await files.link(scope, path, to));
    case "mkdir":
      return said(await files.mkdir(scope, path));
    case "delete":
      return said(await files.remove(scope, path));
    case "rename":
      return said(await files.rename(scope, path, to));
    default:
      // What a plugin cannot name it cannot have: the port has no such door.
      return {
        code: Reflect.get(files, testCase.op) === undefined ? "NO_SUCH_OPERATION" : "allowed",
      };
  }
}

const RACE_MS = 60_000;

/** The control on a tree of its own, then the broker with each opener on another. */
async function judgeRace(
  testCase: FileCase,
  roots: readonly CaseRoot[],
  fixture: readonly FixtureEntry[],
  maxTries: number,
): Promise<CaseVerdict> {
  const { swap } = testCase;
  const minTries = Math.min(testCase.minTries ?? 0, maxTries);
  const root = roots.find(({ guest }) => String(testCase.path).startsWith(`${guest}/`));
  if (swap === undefined || root === undefined)
    return { kind: "fail", reason: "no swap or no root" };
  const host = root.host.replace("$T/", "");
  const below = String(testCase.path).slice(root.guest.length);
  const trees = fixture.filter((entry) => isNeeded(entry, { path: swap.a }));
  const reached = async <T>(use: (top: string, raced: Raced) => Promise<T>): Promise<T> => {
    using tree = buildTree(trees);
    const raced = { op: testCase.op, path: host + below };
    const expected =
      raced.op === "create" || raced.op === "mkdir" ? undefined : expectedOf(tree.top, raced);
    return await use(tree.top, expected === undefined ? raced : { ...raced, expected });
  };
  const control = await reached((top, raced) =>
    race(top, swap, raced, controlOf(top, raced, host), ({ escapes }) => escapes > 0, RACE_MS),
  );
  if (control.escapes === 0) return { kind: "fail", reason: "the control did not escape" };
  for (const opener of ["walk", "openat2"] as const) {
    const result = await reached(async (top, raced) => {
      await using lab = createLab({
        policy: policyOf(roots, top),
        options: { fileWork: { opener }, log: forgetfulLog },
      });
      const files = lab.broker.files(lab.grant());
      const attempt = async (): Promise<Seen> => {
        const { code, content = "" } = await run(files, testCase, String(testCase.path), "");
        if (code !== "allowed") return "refused";
        return isExpected(raced, content) ? "done" : "escaped";
      };
      return await race(top, swap, raced, attempt, isEnough(minTries), RACE_MS);
    });
    if (result.escapes > 0) return { kind: "fail", reason: `${opener}: ${result.escapes} escapes` };
    if (!isEnough(minTries)(result))
      return { kind: "fail", reason: `${opener}: too few tries, or only one state was seen` };
  }
  return { kind: "verdict", verdict: "no-escape", reason: "raced" };
}

const isEnough =
  (tries: number) =>
  ({ done, refused }: RaceResult): boolean =>
    done + refused >= tries && done > 0 && refused > 0;

/** Creates the very file that a hygiene case names, so that `not found` cannot pass for a refusal. */
function plant(roots: readonly CaseRoot[], top: string, path: unknown): void {
  const root = roots.find(({ guest }) => typeof path === "string" && path.startsWith(`${guest}/`));
  if (root === undefined || typeof path !== "string") return;
  plantFile(`${root.host.replace("$T", top)}${path.slice(root.guest.length)}`);
}

function guestOf(roots: readonly CaseRoot[], name: string): string | undefined {
  const root = roots.find(({ host }) => name.startsWith(`${host.replace("$T/", "")}/`));
  return root === undefined ? undefined : root.guest + name.slice(root.host.length - 3);
}

function normal(path: string): string {
  return path.replace(/\/(?:\.?\/)+/g, "/");
}

function pathOf(raw: unknown): unknown {
  if (typeof raw !== "object" || raw === null) return raw;
  const typed = raw as Readonly<Record<string, string>>;
  if (typed["__type"] === "URL") return new URL(typed["href"] ?? "");
  if (typed["__type"] === "object") return { toString: () => typed["toString"] };
  return typed["__type"] === "Buffer"
    ? Buffer.from(typed["hex"] ?? "", "hex")
    : new Uint8Array(Buffer.from(typed["hex"] ?? "", "hex"));
}
