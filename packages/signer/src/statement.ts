/**
 * @module The statement: in-toto Statement v1 (github.com/in-toto/attestation), whose subjects are
 * the closed list of files and whose predicate says of which plugin and version. Without the latter
 * a publisher's signature for one plugin could be shipped with another of theirs, or an old version
 * be passed off as a new one.
 */
import { allow, type Decision, refuse, type Refusal } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";
import { parseSha256 } from "@glovebox/core/ids";
import { canonicalJson, type JsonValue } from "@glovebox/core/json";

import { parseSignerJson } from "./envelope.ts";
import { checkPaths, type ListedFile } from "./file-list.ts";
import { hasExactKeys, isRecord } from "./json-shape.ts";

const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";
const PREDICATE_TYPE = "urn:glovebox:predicate:plugin-package:v0";
const RULE = "signature.statement";

/** What a publisher states by signing. */
export interface Statement {
  readonly pluginId: string;
  readonly version: string;
  /** Sorted by path, each path once. */
  readonly files: readonly ListedFile[];
}

/** Writes a statement as canonical JSON. */
export function encodeStatement({ pluginId, version, files }: Statement): Uint8Array {
  const json = {
    _type: STATEMENT_TYPE,
    predicate: { pluginId, version },
    predicateType: PREDICATE_TYPE,
    subject: files.map(({ path, sha256 }) => ({ digest: { sha256 }, name: path })),
  };
  return Buffer.from(canonicalJson(json));
}

/** Reads a statement; a trusted publisher's mistakes are refused as strictly as an attacker's. */
export function decodeStatement(payload: Uint8Array): Decision<Statement> {
  const parsed = parseSignerJson(payload);
  if (!parsed.allowed) return malformed(parsed.reason);
  const json = parsed.value;
  if (!isRecord(json) || !hasExactKeys(json, ["_type", "predicate", "predicateType", "subject"])) {
    return malformed("a statement has _type, predicate, predicateType and subject");
  }
  if (json["_type"] !== STATEMENT_TYPE) return malformed(`_type is ${STATEMENT_TYPE}`);
  if (json["predicateType"] !== PREDICATE_TYPE) {
    return malformed(
      `predicateType is ${PREDICATE_TYPE}; received ${received(json["predicateType"])}`,
    );
  }
  const { predicate, subject } = json;
  if (!isRecord(predicate) || !hasExactKeys(predicate, ["pluginId", "version"])) {
    return malformed("predicate has pluginId and version");
  }
  const { pluginId, version } = predicate;
  if (typeof pluginId !== "string" || typeof version !== "string") {
    return malformed("pluginId and version are text");
  }
  const files = decodeSubjects(subject);
  return files.allowed ? allow(RULE, { pluginId, version, files: files.value }) : files;
}

function decodeSubjects(subject: JsonValue | undefined): Decision<readonly ListedFile[]> {
  if (!Array.isArray(subject)) return malformed("subject is an array");
  const files: ListedFile[] = [];
  for (const raw of subject as readonly JsonValue[]) {
    const file = decodeSubject(raw);
    if (file === undefined) {
      return malformed(
        "each subject has a name of text and a digest with sha256, and nothing else",
      );
    }
    const before = files.at(-1);
    if (before?.path === file.path) {
      const reason = `a file is listed once; received ${received(file.path)} twice`;
      return refuse("SIGNER_SUBJECT_DUPLICATE", RULE, reason);
    }
    if (before !== undefined && before.path > file.path) {
      return malformed(`subjects are sorted by name; ${received(file.path)} is not in its place`);
    }
    files.push(file);
  }
  return checkPaths(files.map(({ path }) => path)) ?? allow(RULE, files);
}

function decodeSubject(raw: JsonValue): ListedFile | undefined {
  if (!isRecord(raw) || !hasExactKeys(raw, ["digest", "name"])) return undefined;
  const { digest, name: path } = raw;
  if (typeof path !== "string" || !isRecord(digest) || !hasExactKeys(digest, ["sha256"])) {
    return undefined;
  }
  const sha256 = parseSha256(digest["sha256"]);
  return sha256.allowed ? { path, sha256: sha256.value } : undefined;
}

function malformed(reason: string): Refusal {
  return refuse("SIGNER_STATEMENT", RULE, reason);
}
