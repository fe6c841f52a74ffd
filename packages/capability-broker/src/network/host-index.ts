/**
 * @module A grant's hosts, compiled once: an exact look-up and a walk over the labels, so that a
 * decision costs the same for one pattern and for thousands.
 */
import type { NetworkGrant } from "../grant/grant.ts";
import type { Host } from "../target/host-name.ts";
import type { Endpoint } from "../target/host-pattern.ts";

/** The endpoints granted for a host; empty when the host is not granted. */
export type HostIndex = (host: Host) => ReadonlySet<Endpoint>;

const NONE: ReadonlySet<Endpoint> = new Set();
const compiled = new WeakMap<NetworkGrant, HostIndex>();

/** The index of a grant, compiled at first use and kept as long as the grant. */
export function hostIndexOf(grant: NetworkGrant): HostIndex {
  let index = compiled.get(grant);
  if (index === undefined) {
    index = compile(grant);
    compiled.set(grant, index);
  }
  return index;
}

function compile(grant: NetworkGrant): HostIndex {
  const exact = new Map<string, Set<Endpoint>>();
  const suffixes = new Map<string, Set<Endpoint>>();
  const anyPublic = new Set<Endpoint>();
  for (const { pattern, endpoints } of grant.hosts) {
    const map = pattern.kind === "suffix" ? suffixes : exact;
    const set =
      pattern.kind === "any-public" ? anyPublic : (map.get(pattern.host) ?? new Set<Endpoint>());
    for (const endpoint of endpoints) set.add(endpoint);
    if (pattern.kind !== "any-public") map.set(pattern.host, set);
  }
  return (host) => {
    let found = merge(exact.get(host.name) ?? NONE, anyPublic);
    if (host.kind === "name") {
      // From the second label on: a wildcard never matches its own apex.
      for (let dot = host.name.indexOf("."); dot >= 0; dot = host.name.indexOf(".", dot + 1)) {
        found = merge(found, suffixes.get(host.name.slice(dot + 1)) ?? NONE);
      }
    }
    return found;
  };
}

function merge(left: ReadonlySet<Endpoint>, right: ReadonlySet<Endpoint>): ReadonlySet<Endpoint> {
  if (left.size === 0) return right;
  return right.size === 0 ? left : new Set([...left, ...right]);
}
