/**
 * @module Sets of hosts with the schemes and ports that go with them: their meet holds the contained
 * pattern of each pair, in one order, so that the same grant always looks the same.
 */
import {
  type Endpoint,
  type HostPattern,
  patternContains,
  patternText,
} from "../target/host-pattern.ts";

/** A host pattern with the schemes and ports that go with it. */
export interface HostEntry {
  readonly pattern: HostPattern;
  readonly endpoints: readonly Endpoint[];
}

/** What both sets reach. */
export function meetHosts(
  left: readonly HostEntry[],
  right: readonly HostEntry[],
): readonly HostEntry[] {
  const met = new Map<string, { pattern: HostPattern; endpoints: Set<Endpoint> }>();
  for (const a of left) {
    for (const b of right) {
      const pattern = containedOf(a.pattern, b.pattern);
      if (pattern === undefined) continue;
      const endpoints = a.endpoints.filter((endpoint) => b.endpoints.includes(endpoint));
      if (endpoints.length === 0) continue;
      const key = `${pattern.kind} ${patternText(pattern)}`;
      const entry = met.get(key) ?? { pattern, endpoints: new Set<Endpoint>() };
      for (const endpoint of endpoints) entry.endpoints.add(endpoint);
      met.set(key, entry);
    }
  }
  return [...met.entries()]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([, { pattern, endpoints }]) => ({ pattern, endpoints: [...endpoints].toSorted() }));
}

/** Whether everything that `inner` reaches is reached by `outer`. */
export function hostsContain(outer: readonly HostEntry[], inner: readonly HostEntry[]): boolean {
  return inner.every(({ pattern, endpoints }) => {
    const above = outer.filter((entry) => patternContains(entry.pattern, pattern));
    return endpoints.every((endpoint) => above.some((entry) => entry.endpoints.includes(endpoint)));
  });
}

function containedOf(left: HostPattern, right: HostPattern): HostPattern | undefined {
  if (patternContains(left, right)) return right;
  return patternContains(right, left) ? left : undefined;
}
