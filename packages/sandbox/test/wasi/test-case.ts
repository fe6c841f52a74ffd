/**
 * @module One program of a WASI suite and what is expected of it, in the layout of WebAssembly's
 * wasi-testsuite (doc/specification.md there): NAME.wasm, and beside it NAME.json or nothing.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { parseBoundedJson } from "@glovebox/core/json";

/** What is expected of a program, and what it gets. */
export interface WasiTestCase {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly args: readonly string[];
  readonly env: ReadonlyMap<string, string>;
  /** Folders by guest path; each is copied first. */
  readonly folders: ReadonlyMap<string, string>;
  readonly stdin: Uint8Array;
  readonly exitCode: number;
  /** `undefined` = anything. */
  readonly stdout: string | undefined;
  /** Why it cannot be run; `undefined` = it can. */
  readonly skip: string | undefined;
}

const KEYS = new Set(["args", "env", "dirs", "root", "stdin", "exit_code", "stdout", "stderr"]);
const encoder = new TextEncoder();

/** Every program of a directory, by name. */
export async function readTestCases(directory: string): Promise<readonly WasiTestCase[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(".wasm")).sort();
  return Promise.all(names.map((name) => readTestCase(directory, name.slice(0, -".wasm".length))));
}

async function readTestCase(directory: string, name: string): Promise<WasiTestCase> {
  const bytes = await readFile(join(directory, `${name}.wasm`));
  const json = await readFile(join(directory, `${name}.json`)).catch(() => undefined);
  const parsed = json === undefined ? {} : objectOf(json);
  const spec = parsed ?? {};
  const folders = new Map<string, string>();
  if (typeof spec["root"] === "string") folders.set("/", join(directory, spec["root"]));
  for (const folder of textsOf(spec["dirs"])) {
    folders.set(folder.startsWith("/") ? folder : `/${folder}`, join(directory, folder));
  }
  const unknown = Object.keys(spec).find((key) => !KEYS.has(key));
  return {
    name,
    bytes,
    args: textsOf(spec["args"]),
    env: new Map(Object.entries(recordOf(spec["env"]))),
    folders,
    stdin: encoder.encode(typeof spec["stdin"] === "string" ? spec["stdin"] : ""),
    exitCode: typeof spec["exit_code"] === "number" ? spec["exit_code"] : 0,
    stdout: typeof spec["stdout"] === "string" ? spec["stdout"] : undefined,
    skip:
      parsed === undefined
        ? `${name}.json is no JSON object`
        : unknown === undefined
          ? undefined
          : `${name}.json has a key that is not known: ${unknown}`,
  };
}

function objectOf(json: Uint8Array): Record<string, unknown> | undefined {
  const decision = parseBoundedJson(json);
  if (!decision.allowed) return undefined;
  const { value } = decision;
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : undefined;
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function recordOf(value: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(value ?? {}).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string",
    ),
  );
}
