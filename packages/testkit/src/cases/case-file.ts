/**
 * @module Case files `{meta, policies, cases}`: attacks and legitimate uses as data, which several
 * suites judge. What a case's fields mean is said in the file's own `meta`; here only its frame is
 * checked.
 */
import { readFile } from "node:fs/promises";

import { received } from "@glovebox/core/errors";
import type { JsonValue } from "@glovebox/core/json";

import { TestkitError } from "../errors.ts";

/** A JSON object. */
export type JsonObject = Readonly<Record<string, JsonValue>>;

/** One case; fields other than these are the suite's. */
export interface TestCase {
  /** Unique in its file. */
  readonly id: string;
  /** The verdict that is right, such as `allow`, `deny`, `accept`, `reject`. */
  readonly expected?: string;
  readonly [field: string]: JsonValue | undefined;
}

/** A case file; members beyond the three, such as `fixture` or `defaultDns`, are kept. */
export interface CaseFile {
  readonly meta: JsonObject;
  readonly policies: JsonObject;
  readonly cases: readonly TestCase[];
  readonly [member: string]: JsonValue | readonly TestCase[] | undefined;
}

/**
 * Reads a case file.
 *
 * @throws {@link TestkitError} (`TESTKIT_CASE_FILE`) when it has another form, no case, or an id
 * twice.
 */
export async function readCaseFile(path: string | URL): Promise<CaseFile> {
  const text = await readFile(path, "utf8");
  try {
    // Case files are ours, and some hold numbers on purpose that the bounded parser refuses.
    return parseCaseFile(JSON.parse(text));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TestkitError("TESTKIT_CASE_FILE", {
      message: `${String(path)}: ${reason}`,
      cause: error,
    });
  }
}

function parseCaseFile(raw: unknown): CaseFile {
  if (!isObject(raw)) throw malformed(`expected an object, received ${received(raw)}`);
  const { meta, policies, cases } = raw;
  if (!isObject(meta)) throw malformed("`meta` is not an object");
  if (!isObject(policies)) throw malformed("`policies` is not an object");
  if (!Array.isArray(cases) || cases.length === 0)
    throw malformed("`cases` is not a list of at least one");
  const ids = new Set<string>();
  for (const [index, testCase] of cases.entries()) {
    if (!isCase(testCase)) throw malformed(`case ${index} is not an object with a string \`id\``);
    if (ids.has(testCase.id)) throw malformed(`the id ${received(testCase.id)} stands there twice`);
    ids.add(testCase.id);
  }
  return { ...raw, meta, policies, cases };
}

function isCase(value: JsonValue): value is JsonObject & TestCase {
  if (!isObject(value)) return false;
  const { id, expected } = value;
  return (
    typeof id === "string" && id !== "" && (expected === undefined || typeof expected === "string")
  );
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function malformed(message: string): TestkitError {
  return new TestkitError("TESTKIT_CASE_FILE", { message });
}
