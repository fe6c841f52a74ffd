/**
 * @module What changes between two requests, as a value and in plain words: what an operator reads
 * before saying yes, and what the log keeps.
 */
import type { FileRight } from "@glovebox/core/ports";

import { patternText } from "../target/host-pattern.ts";
import { type Capabilities, FIELDS } from "./field-table.ts";
import { speakerFor } from "./path-set.ts";

/** One thing that a plugin may do, or may do no longer. */
export interface Change {
  readonly kind: "gained" | "lost";
  readonly field: keyof Capabilities;
  /** Plain words without a subject, such as `may now also write to /data`. */
  readonly words: string;
}

/** What one side allows in a field, as a list of things in words. */
const ITEMS: {
  readonly [Name in keyof Capabilities]?: (side: Capabilities) => readonly string[];
} = {
  httpOutbound: ({ httpOutbound }) => (httpOutbound ? ["send HTTP requests"] : []),
  hosts: ({ hosts }) =>
    hosts.flatMap(({ pattern, endpoints }) =>
      endpoints
        .filter((endpoint) => endpoint.startsWith("https:"))
        .map((endpoint) => {
          const port = endpoint.slice("https:".length);
          return `reach ${patternText(pattern)}${port === "443" ? "" : ` at port ${port}`}`;
        }),
    ),
  secrets: ({ secrets }) => secrets.map((name) => `have the secret ${name} inserted`),
};

/** What a right is called; the other rights are called by their name. */
const RIGHT_WORDS: Readonly<Partial<Record<FileRight, string>>> = {
  read: "read from",
  write: "write to",
  link: "make links in",
  setTimes: "set times in",
};
/** Rights that nobody misses in the words: whoever reads may list, whoever writes may delete. */
const SAID_WITH: Readonly<Partial<Record<FileRight, FileRight>>> = {
  stat: "read",
  list: "read",
  create: "write",
  append: "write",
  truncate: "write",
  delete: "write",
  rename: "write",
  mkdir: "write",
};

/** What `after` allows that `before` did not, and the other way round. */
export function differenceOf(before: Capabilities, after: Capabilities): readonly Change[] {
  const changes: Change[] = [];
  for (const field of Object.keys(FIELDS) as readonly (keyof Capabilities)[]) {
    const list = field === "paths" ? pathItems : ITEMS[field];
    if (list === undefined) {
      changes.push(...numberChanges(field, before, after));
      continue;
    }
    for (const words of beyond(list(after, before), list(before, after)))
      changes.push({ kind: "gained", field, words: `may now also ${words}` });
    for (const words of beyond(list(before, after), list(after, before)))
      changes.push({ kind: "lost", field, words: `may no longer ${words}` });
  }
  return changes;
}

function beyond(words: readonly string[], others: readonly string[]): readonly string[] {
  const known = new Set(others);
  return words.filter((one) => !known.has(one));
}

/** The rights of one side that the other has not, at each folder that either names. */
function pathItems({ paths }: Capabilities, other: Capabilities): readonly string[] {
  const guests = new Set([...paths, ...other.paths].map(({ guest }) => guest));
  return [...guests].toSorted().flatMap((guest) => {
    const had = speakerFor(other.paths, guest)?.rights ?? [];
    const rights = speakerFor(paths, guest)?.rights ?? [];
    const gained = rights.filter((right) => !had.includes(right));
    return gained.flatMap((right) => {
      const leader = SAID_WITH[right];
      if (leader !== undefined && gained.includes(leader)) return [];
      return [`${RIGHT_WORDS[right] ?? `${right} in`} ${guest}`];
    });
  });
}

function numberChanges(
  field: keyof Capabilities,
  before: Capabilities,
  after: Capabilities,
): readonly Change[] {
  const { contains } = FIELDS[field] as unknown as {
    contains: (outer: unknown, inner: unknown) => boolean;
  };
  const kind = !contains(before[field], after[field])
    ? "gained"
    : !contains(after[field], before[field])
      ? "lost"
      : undefined;
  if (kind === undefined) return [];
  const value = after[field];
  const words = `${kind === "gained" ? "is held less" : "is held more"} tightly by ${field}: ${wordOf(value)}`;
  return [{ kind, field, words }];
}

function wordOf(value: unknown): string {
  if (value === undefined) return "no bound of its own";
  if (!Array.isArray(value)) return JSON.stringify(value);
  return value.length === 0 ? "none" : value.map((entry) => String(entry)).join(", ");
}
