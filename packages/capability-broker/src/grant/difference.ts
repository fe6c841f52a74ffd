/**
 * @module What changes between two requests, as a value and in plain words: what an operator reads
 * before saying yes, and what the log keeps.
 */
import { patternText } from "../target/host-pattern.ts";
import { type Capabilities, FIELDS } from "./field-table.ts";
import { pathContains } from "./path-set.ts";

/** One thing that a plugin may do, or may do no longer. */
export interface Change {
  readonly kind: "gained" | "lost";
  readonly field: keyof Capabilities;
  /** Plain words without a subject, such as `may now also write to /data`. */
  readonly words: string;
}

/** One thing that can be allowed: what identifies it, and how it is said. */
interface Item {
  readonly key: string;
  readonly words: string;
}

/** What one side allows in a field, as a list of things. */
const ITEMS: { readonly [Name in keyof Capabilities]?: (side: Capabilities) => readonly Item[] } = {
  httpOutbound: ({ httpOutbound }) => (httpOutbound ? [item("send HTTP requests")] : []),
  hosts: ({ hosts }) =>
    hosts.flatMap(({ pattern, endpoints }) =>
      endpoints
        .filter((endpoint) => endpoint.startsWith("https:"))
        .map((endpoint) => {
          const port = endpoint.slice("https:".length);
          return item(`reach ${patternText(pattern)}${port === "443" ? "" : ` at port ${port}`}`);
        }),
    ),
  secrets: ({ secrets }) => secrets.map((name) => item(`have the secret ${name} inserted`)),
  paths: ({ paths }) =>
    paths.flatMap(({ guest, rights }) => [
      ...(rights.includes("read") ? [item(`read from ${guest}`)] : []),
      ...(rights.includes("write") ? [item(`write to ${guest}`)] : []),
      ...rights
        .filter((right) => (right as string) === "link")
        .map(() => item(`make links in ${guest}`)),
    ]),
};

/** What `after` allows that `before` did not, and the other way round. */
export function differenceOf(before: Capabilities, after: Capabilities): readonly Change[] {
  const changes: Change[] = [];
  for (const field of Object.keys(FIELDS) as readonly (keyof Capabilities)[]) {
    const list = ITEMS[field];
    if (list === undefined) {
      changes.push(...numberChanges(field, before, after));
      continue;
    }
    const had = covered(list(before), before);
    const has = covered(list(after), after);
    for (const { key, words } of list(after))
      if (!had(key)) changes.push({ kind: "gained", field, words: `may now also ${words}` });
    for (const { key, words } of list(before))
      if (!has(key)) changes.push({ kind: "lost", field, words: `may no longer ${words}` });
  }
  return changes;
}

/** Whether a thing is allowed already, as itself or through a folder above it. */
function covered(items: readonly Item[], side: Capabilities): (key: string) => boolean {
  const keys = new Set(items.map(({ key }) => key));
  return (key) => {
    if (keys.has(key)) return true;
    const [, verb = "", guest = ""] = /^(read from|write to) (.*)$/.exec(key) ?? [];
    const above = side.paths.filter((entry) => guest !== "" && pathContains(entry.guest, guest));
    const [speaker] = above.toSorted((one, other) => other.guest.length - one.guest.length);
    return speaker?.rights.includes(verb === "read from" ? "read" : "write") === true;
  };
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

function item(words: string): Item {
  return { key: words, words };
}
