/**
 * @module A grant's hosts, compiled once: an exact look-up and a walk over the labels, so that a
 * decision costs the same for one pattern and for thousands.
 */
import type { NetworkGrant } from "../grant/grant.ts";
import type { Host } from "../target/host-name.ts";
import { endpointNumber } from "../target/strict-url.ts";

/** Whether a host is reached at an endpoint, or what of it is not granted. */
export type HostIndex = (host: Host, endpoint: number) => "granted" | "port" | "scheme" | "none";

type Endpoints = ReadonlySet<number>;

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
  const exact = new Map<string, Set<number>>();
  const suffixes = new Map<string, Set<number>>();
  const anyPublic = new Set<number>();
  for (const { pattern, endpoints } of grant.hosts) {
    const map = pattern.kind === "suffix" ? suffixes : exact;
    const set =
      pattern.kind === "any-public" ? anyPublic : (map.get(pattern.host) ?? new Set<number>());
    for (const endpoint of endpoints) {
      const colon = endpoint.indexOf(":");
      set.add(endpointNumber(endpoint.slice(0, colon), Number(endpoint.slice(colon + 1))));
    }
    if (pattern.kind !== "any-public") map.set(pattern.host, set);
  }
  // A name with more labels than the longest suffix has nothing to find among its own longer ends.
  const longest = Math.max(0, ...Array.from(suffixes.keys(), (host) => host.length));

  function matches(host: Host): readonly Endpoints[] {
    const found: Endpoints[] = anyPublic.size > 0 ? [anyPublic] : [];
    const own = exact.get(host.name);
    if (own !== undefined) found.push(own);
    if (host.kind === "name") {
      for (let dot = host.name.indexOf("."); dot >= 0; dot = host.name.indexOf(".", dot + 1)) {
        const above = suffixes.get(host.name.slice(dot + 1));
        if (above !== undefined) found.push(above);
      }
    }
    return found;
  }

  return (host, endpoint) => {
    const { name } = host;
    if (exact.get(name)?.has(endpoint) === true || anyPublic.has(endpoint)) return "granted";
    if (host.kind === "name" && longest > 0) {
      // From the second label on: a wildcard never matches its own apex.
      for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) {
        if (name.length - dot - 1 > longest) continue;
        if (suffixes.get(name.slice(dot + 1))?.has(endpoint) === true) return "granted";
      }
    }
    const found = matches(host);
    if (found.length === 0) return "none";
    const isScheme = found.some((set) => [...set].some((other) => other > 0 === endpoint > 0));
    return isScheme ? "port" : "scheme";
  };
}
