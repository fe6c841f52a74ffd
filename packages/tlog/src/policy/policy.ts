/**
 * @module Policy files (C2SP tlog-policy): which logs are believed, which witnesses are known, and
 * which of them must have cosigned (the quorum). All problems of a file are reported at once.
 */
import { allow, type Decision, refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";

import { MAX_POLICY_BYTES, MAX_POLICY_ITEMS } from "../limits.ts";
import { type KeyType } from "../note/key-type.ts";
import { parseVerifierKey, type VerifierKey } from "../note/verifier-key.ts";

/** A log or a witness of a policy. */
export interface PolicyKey {
  readonly key: VerifierKey;
  readonly url?: string;
}

/** A witness, or a group of which `threshold` members must agree. */
export type QuorumRule =
  | { readonly witness: string }
  | { readonly threshold: number; readonly members: readonly QuorumRule[] };

/** A policy file that was read. */
export interface TlogPolicy {
  /** Logs that are believed. */
  readonly logs: readonly PolicyKey[];
  /** By the name that it has in the file, which is not its key's. */
  readonly witnesses: ReadonlyMap<string, PolicyKey>;
  /** `undefined` for `quorum none`. */
  readonly quorum: QuorumRule | undefined;
}

/** What is known while a file is read. */
interface Reading {
  readonly logs: PolicyKey[];
  readonly witnesses: Map<string, PolicyKey>;
  readonly rules: Map<string, QuorumRule>;
  /** Names that are a member already: each counts in one place only. */
  readonly members: Set<string>;
  readonly keys: Set<string>;
  groups: number;
  quorum: { readonly rule: QuorumRule | undefined } | undefined;
}

const LOG_TYPES: readonly KeyType[] = [0x01, 0x06];
const WITNESS_TYPES: readonly KeyType[] = [0x04, 0x06];
const NONE = "none";

/** Reads a policy file; refuses with `TLOG_POLICY`. */
export function parsePolicy(raw: Uint8Array | string): Decision<TlogPolicy> {
  const bytes = Buffer.from(raw);
  if (bytes.length > MAX_POLICY_BYTES) return malformed([`it has ${bytes.length} bytes`]);
  // Names are opaque octets, of which latin1 keeps each as it is; keys' names are UTF-8.
  const text = bytes.toString("latin1");
  const reading: Reading = {
    logs: [],
    witnesses: new Map(),
    rules: new Map(),
    members: new Set(),
    keys: new Set(),
    groups: 0,
    quorum: undefined,
  };
  const problems: string[] = [];
  // oxlint-disable-next-line no-control-regex -- tlog-policy forbids exactly these
  if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(text))
    problems.push("it holds a control character");
  if (text !== "" && !text.endsWith("\n")) problems.push("its last line does not end");
  for (const [index, line] of text.split("\n").entries()) {
    const words = line.split(/[ \t]+/).filter((word) => word !== "");
    if (words.length === 0 || words[0]?.startsWith("#")) continue;
    const problem = readLine(reading, words);
    if (problem !== undefined) problems.push(`line ${index + 1}: ${problem}`);
  }
  if (reading.quorum === undefined) problems.push("it has no quorum line");
  if (problems.length > 0) return malformed(problems);
  const { logs, witnesses, quorum } = reading;
  return allow("tlog.policy", Object.freeze({ logs, witnesses, quorum: quorum?.rule }));
}

function readLine(
  reading: Reading,
  [keyword = "", ...words]: readonly string[],
): string | undefined {
  switch (keyword) {
    case "log":
      return readLog(reading, words);
    case "witness":
      return readWitness(reading, words);
    case "group":
      return readGroup(reading, words);
    case "quorum":
      return readQuorum(reading, words);
    default:
      return `${received(keyword)} is no keyword`;
  }
}

function readLog(
  reading: Reading,
  [vkey = "", url, ...more]: readonly string[],
): string | undefined {
  if (vkey === "" || more.length > 0) return "log <vkey> [<url>] is expected";
  if (reading.logs.length >= MAX_POLICY_ITEMS)
    return `there are more than ${MAX_POLICY_ITEMS} logs`;
  const key = readKey(reading, "log", vkey, LOG_TYPES);
  if (typeof key === "string") return key;
  reading.logs.push(url === undefined ? { key } : { key, url });
  return undefined;
}

function readWitness(
  reading: Reading,
  [name = "", vkey = "", url, ...more]: readonly string[],
): string | undefined {
  if (vkey === "" || more.length > 0) return "witness <name> <vkey> [<url>] is expected";
  if (reading.witnesses.size >= MAX_POLICY_ITEMS)
    return `there are more than ${MAX_POLICY_ITEMS} witnesses`;
  if (name === NONE || reading.rules.has(name)) return `the name ${received(name)} is taken`;
  const key = readKey(reading, "witness", vkey, WITNESS_TYPES);
  if (typeof key === "string") return key;
  reading.witnesses.set(name, url === undefined ? { key } : { key, url });
  reading.rules.set(name, { witness: name });
  return undefined;
}

function readKey(
  reading: Reading,
  kind: string,
  vkey: string,
  types: readonly KeyType[],
): VerifierKey | string {
  const key = parseVerifierKey(Buffer.from(vkey, "latin1").toString("utf8"));
  if (!key.allowed) return key.reason;
  if (!types.includes(key.value.type)) return `a ${kind} has no key of type ${key.value.type}`;
  // Keys with the same bytes are one key, whatever their names (tlog-policy).
  const bytes = `${kind} ${key.value.publicKey.export({ format: "der", type: "spki" }).toString("hex")}`;
  if (reading.keys.has(bytes)) return `the key of ${received(key.value.name)} is there twice`;
  reading.keys.add(bytes);
  return key.value;
}

function readGroup(
  reading: Reading,
  [name = "", rawThreshold = "", ...members]: readonly string[],
): string | undefined {
  if (members.length === 0) return "group <name> all|any|<k> <name>… is expected";
  if (reading.groups >= MAX_POLICY_ITEMS) return `there are more than ${MAX_POLICY_ITEMS} groups`;
  if (name === NONE || reading.rules.has(name)) return `the name ${received(name)} is taken`;
  const threshold = thresholdOf(rawThreshold, members.length);
  if (threshold === undefined)
    return `${received(rawThreshold)} of ${members.length} is no threshold`;
  const rules: QuorumRule[] = [];
  for (const member of members) {
    const rule = reading.rules.get(member);
    if (rule === undefined) return `${received(member)} is not defined above`;
    if (reading.members.has(member)) return `${received(member)} is a member already`;
    reading.members.add(member);
    rules.push(rule);
  }
  reading.groups += 1;
  reading.rules.set(name, { threshold, members: rules });
  return undefined;
}

function thresholdOf(raw: string, members: number): number | undefined {
  if (raw === "all") return members;
  if (raw === "any") return 1;
  const threshold = /^[1-9]\d{0,5}$/.test(raw) ? Number(raw) : 0;
  return threshold >= 1 && threshold <= members ? threshold : undefined;
}

function readQuorum(reading: Reading, [name = "", ...more]: readonly string[]): string | undefined {
  if (name === "" || more.length > 0) return "quorum <name>|none is expected";
  if (reading.quorum !== undefined) return "there is a quorum line already";
  const rule = reading.rules.get(name);
  if (rule === undefined && name !== NONE) return `${received(name)} is not defined above`;
  reading.quorum = { rule };
  return undefined;
}

function malformed(problems: readonly string[]): Decision<never> {
  return refuse("TLOG_POLICY", "tlog.policy", `not a policy: ${problems.join("; ")}`);
}
