/**
 * @module Sets of hosts with the schemes and ports that go with them: their meet holds the contained
 * pattern of each pair, in one order, so that the same grant always looks the same.
 */
import { type Endpoint, type HostPattern, patternContains } from "../target/host-pattern.ts";

/** A host pattern with the schemes and ports that go with it. */
export interface HostEntry {
  readonly pattern: HostPattern;
  readonly endpoints: readonly Endpoint[];
}

type Index = ReadonlyMap<string, readonly HostEntry[]>;

/** What both sets reach. */
export function meetHosts(
  left: readonly HostEntry[],
  right: readonly HostEntry[],
): readonly HostEntry[] {
  const met = new Map<string, { pattern: HostPattern; endpoints: Set<Endpoint> }>();
  const add = (inner: HostEntry, outer: HostEntry): void => {
    const endpoints = inner.endpoints.filter((endpoint) => outer.endpoints.includes(endpoint));
    if (endpoints.length === 0) return;
    const key = keyOf(inner.pattern);
    const entry = met.get(key) ?? { pattern: inner.pattern, endpoints: new Set<Endpoint>() };
    for (const endpoint of endpoints) entry.endpoints.add(endpoint);
    met.set(key, entry);
  };
  // Of two patterns that overlap, one contains the other: so each looks for what is above it.
  const [leftIndex, rightIndex] = [indexOf(left), indexOf(right)];
  for (const entry of left) for (const outer of above(rightIndex, entry)) add(entry, outer);
  for (const entry of right) for (const outer of above(leftIndex, entry)) add(entry, outer);
  return [...met.entries()]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([, { pattern, endpoints }]) => ({ pattern, endpoints: [...endpoints].toSorted() }));
}

/** Whether everything that `inner` reaches is reached by `outer`. */
export function hostsContain(outer: readonly HostEntry[], inner: readonly HostEntry[]): boolean {
  const index = indexOf(outer);
  return inner.every((entry) => {
    const containers = above(index, entry);
    return entry.endpoints.every((endpoint) =>
      containers.some(({ endpoints }) => endpoints.includes(endpoint)),
    );
  });
}

function indexOf(entries: readonly HostEntry[]): Index {
  const index = new Map<string, HostEntry[]>();
  for (const entry of entries) {
    const key = keyOf(entry.pattern);
    const list = index.get(key);
    if (list === undefined) index.set(key, [entry]);
    else list.push(entry);
  }
  return index;
}

/** The entries whose pattern contains the given one, found by its labels and not by comparing all. */
function above(index: Index, { pattern }: HostEntry): readonly HostEntry[] {
  const keys = new Set([keyOf(pattern), "any-public "]);
  if (pattern.kind === "exact" || pattern.kind === "suffix") {
    const { host } = pattern;
    for (let dot = host.indexOf("."); dot >= 0; dot = host.indexOf(".", dot + 1))
      keys.add(`suffix ${host.slice(dot + 1)}`);
  }
  return [...keys]
    .flatMap((key) => index.get(key) ?? [])
    .filter((entry) => patternContains(entry.pattern, pattern));
}

function keyOf({ kind, host }: HostPattern): string {
  return `${kind} ${host}`;
}
