/**
 * @module A grant's hosts, compiled once: one pass over the name with a rolling hash, which meets
 * every suffix and the whole, so that a decision costs the same for one pattern and for thousands.
 */
import type { HostEntry } from "../grant/host-set.ts";
import type { Host } from "../target/host-name.ts";
import type { Endpoint, HostPattern } from "../target/host-pattern.ts";
import { endpointNumber } from "../target/strict-url.ts";

/** Whether a host is reached at an endpoint, or what of it is not granted. */
export type HostIndex = (host: Host, endpoint: number) => "granted" | "port" | "scheme" | "none";

const FREE = -1;
const NONE: ReadonlySet<number> = new Set();

const compiled = new WeakMap<readonly HostEntry[], HostIndex>();

/** The index of a grant's hosts, compiled at first use and kept as long as they. */
export function hostIndexOf(hosts: readonly HostEntry[]): HostIndex {
  let index = compiled.get(hosts);
  if (index === undefined) {
    index = compile(hosts);
    compiled.set(hosts, index);
  }
  return index;
}

/** A pattern's host and what is granted there; endpoint sets are shared by patterns that have the same. */
interface Entry {
  readonly kind: "exact" | "suffix";
  readonly host: string;
  readonly endpoints: ReadonlySet<number>;
}

/**
 * Open addressing with linear probing, at most a quarter full: the hashes lie side by side, so that
 * a suffix which no pattern has costs one read of a few kilobytes that stay in the cache.
 */
interface Table {
  /** -1 = free. */
  readonly hashes: Int32Array;
  readonly entries: readonly (Entry | undefined)[];
}

const DOT = 46;

function compile(hosts: readonly HostEntry[]): HostIndex {
  const { table, anyPublic } = tableOf(hosts);
  return (host, endpoint) => {
    if (anyPublic.has(endpoint)) return "granted";
    const { name } = host;
    let hash = 0;
    let isNear = anyPublic.size > 0;
    // From the end, so that one pass over the name meets each suffix at its dot (hot: bench broker).
    for (let at = name.length - 1; at >= 0; at -= 1) {
      const code = name.charCodeAt(at);
      // No wildcard ends like an address, so that an address needs no care of its own.
      if (code === DOT) {
        const endpoints = find(table, hash, name);
        if (endpoints !== undefined) {
          if (endpoints.has(endpoint)) return "granted";
          isNear = true;
        }
      }
      hash = mixed(hash, code);
    }
    const endpoints = find(table, hash, name);
    if (endpoints?.has(endpoint) === true) return "granted";
    return isNear || endpoints !== undefined ? missing(table, anyPublic, name, endpoint) : "none";
  };
}

/** What is granted at the pattern of this hash that the name is, or is below. */
function find(
  { hashes, entries }: Table,
  hash: number,
  name: string,
): ReadonlySet<number> | undefined {
  const mask = hashes.length - 1;
  for (let at = spread(hash) & mask; hashes[at] !== FREE; at = (at + 1) & mask) {
    if (hashes[at] !== hash) continue;
    const entry = entries[at];
    // Hashes meet by chance or by malice, so the text decides.
    if (entry !== undefined && matches(entry, name)) return entry.endpoints;
  }
  return undefined;
}

/** One character more; 30 bits, which an engine keeps without allocating. */
function mixed(hash: number, code: number): number {
  return (Math.imul(hash, 31) + code) & 0x3fff_ffff;
}

/** Brings the upper bits of a hash down to where a small table looks. */
function spread(hash: number): number {
  return Math.imul(hash, 0x9e37_79b1) >>> 12;
}

function matches({ kind, host }: Entry, name: string): boolean {
  // A wildcard never matches its own apex.
  return kind === "exact" ? name === host : name.endsWith(host) && isBelow(name, host);
}

function isBelow(name: string, host: string): boolean {
  return name.charCodeAt(name.length - host.length - 1) === DOT;
}

/** What of a host is not granted, for the reason of a refusal. */
function missing(
  table: Table,
  anyPublic: ReadonlySet<number>,
  name: string,
  endpoint: number,
): "port" | "scheme" | "none" {
  const near = [anyPublic];
  let hash = 0;
  for (let at = name.length - 1; at >= 0; at -= 1) {
    const code = name.charCodeAt(at);
    if (code === DOT) near.push(find(table, hash, name) ?? NONE);
    hash = mixed(hash, code);
  }
  near.push(find(table, hash, name) ?? NONE);
  const endpoints = near.flatMap((set) => [...set]);
  if (endpoints.length === 0) return "none";
  return endpoints.some((other) => other > 0 === endpoint > 0) ? "port" : "scheme";
}

function tableOf(hosts: readonly HostEntry[]): { table: Table; anyPublic: ReadonlySet<number> } {
  const granted = new Map<string, { pattern: HostPattern; numbers: Set<number> }>();
  for (const { pattern, endpoints } of hosts) {
    const key = `${pattern.kind} ${pattern.host}`;
    const numbers = granted.get(key)?.numbers ?? new Set<number>();
    for (const endpoint of endpoints) numbers.add(numberOf(endpoint));
    granted.set(key, { pattern, numbers });
  }
  const shared = new Map<string, ReadonlySet<number>>();
  let anyPublic = NONE;
  const patterns: Entry[] = [];
  for (const { pattern, numbers } of granted.values()) {
    const key = [...numbers].toSorted((one, other) => one - other).join();
    const endpoints = shared.get(key) ?? numbers;
    shared.set(key, endpoints);
    const { kind, host } = pattern;
    if (kind === "any-public") anyPublic = endpoints;
    else patterns.push({ kind: kind === "suffix" ? kind : "exact", host, endpoints });
  }
  const size = 2 ** Math.ceil(Math.log2(4 * patterns.length + 1));
  const hashes = new Int32Array(size).fill(FREE);
  const entries = Array.from<Entry | undefined>({ length: size });
  for (const entry of patterns) {
    const hash = hashOf(entry.host);
    let at = spread(hash) & (size - 1);
    while (hashes[at] !== FREE) at = (at + 1) & (size - 1);
    hashes[at] = hash;
    entries[at] = entry;
  }
  return { table: { hashes, entries }, anyPublic };
}

function numberOf(endpoint: Endpoint): number {
  const colon = endpoint.indexOf(":");
  return endpointNumber(endpoint.slice(0, colon), Number(endpoint.slice(colon + 1)));
}

function hashOf(host: string): number {
  let hash = 0;
  for (let at = host.length - 1; at >= 0; at -= 1) hash = mixed(hash, host.charCodeAt(at));
  return hash;
}
