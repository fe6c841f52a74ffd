/**
 * @module A grant's hosts, compiled once: one pass over the name with a rolling hash, which meets
 * every suffix and the whole, so that a decision costs the same for one pattern and for thousands.
 */
import type { NetworkGrant } from "../grant/grant.ts";
import type { Host } from "../target/host-name.ts";
import { endpointNumber } from "../target/strict-url.ts";

/** Whether a host is reached at an endpoint, or what of it is not granted. */
export type HostIndex = (host: Host, endpoint: number) => "granted" | "port" | "scheme" | "none";

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

/** Patterns of one hash: their host and what is granted there. */
interface Slot {
  readonly kind: "exact" | "suffix";
  readonly host: string;
  readonly endpoints: Set<number>;
}

const DOT = 46;

function compile(grant: NetworkGrant): HostIndex {
  const slots = new Map<number, Slot[]>();
  const anyPublic = new Set<number>();
  for (const { pattern, endpoints } of grant.hosts) {
    const set = pattern.kind === "any-public" ? anyPublic : setOf(slots, pattern);
    for (const endpoint of endpoints) {
      const colon = endpoint.indexOf(":");
      set.add(endpointNumber(endpoint.slice(0, colon), Number(endpoint.slice(colon + 1))));
    }
  }
  return (host, endpoint) => {
    if (anyPublic.has(endpoint)) return "granted";
    const { name } = host;
    const isName = host.kind === "name";
    let hash = 0;
    let isNear = anyPublic.size > 0;
    // From the end, so that one pass over the name meets each suffix at its dot (hot: bench broker).
    for (let at = name.length - 1; at >= 0; at -= 1) {
      const code = name.charCodeAt(at);
      if (code === DOT && isName) {
        const found = slots.get(hash);
        if (found !== undefined) {
          if (isGranted(found, "suffix", name, endpoint)) return "granted";
          isNear = true;
        }
      }
      hash = mixed(hash, code);
    }
    const found = slots.get(hash);
    if (found !== undefined && isGranted(found, "exact", name, endpoint)) return "granted";
    return isNear || found !== undefined ? missing(slots, anyPublic, host, endpoint) : "none";
  };
}

/** One character more; 30 bits, which an engine keeps without allocating. */
function mixed(hash: number, code: number): number {
  return (Math.imul(hash, 31) + code) & 0x3fff_ffff;
}

/** Hashes meet by chance or by malice, so the text decides. */
function isGranted(
  slots: readonly Slot[],
  kind: Slot["kind"],
  name: string,
  endpoint: number,
): boolean {
  return slots.some((slot) => matches(slot, name, kind) && slot.endpoints.has(endpoint));
}

function matches({ kind, host }: Slot, name: string, wanted: Slot["kind"]): boolean {
  if (kind !== wanted) return false;
  // A wildcard never matches its own apex.
  return kind === "exact" ? name === host : name.endsWith(host) && isBelow(name, host);
}

function isBelow(name: string, host: string): boolean {
  return name.charCodeAt(name.length - host.length - 1) === DOT;
}

/** What of a host is not granted, for the reason of a refusal. */
function missing(
  slots: ReadonlyMap<number, readonly Slot[]>,
  anyPublic: ReadonlySet<number>,
  { name, kind }: Host,
  endpoint: number,
): "port" | "scheme" | "none" {
  let found: "scheme" | "none" = "none";
  const ask = (set: ReadonlySet<number>): boolean => {
    for (const other of set) if (other > 0 === endpoint > 0) return true;
    if (set.size > 0) found = "scheme";
    return false;
  };
  if (ask(anyPublic)) return "port";
  let hash = 0;
  for (let at = name.length - 1; at >= -1; at -= 1) {
    const code = at < 0 ? DOT : name.charCodeAt(at);
    const wanted = at < 0 ? "exact" : "suffix";
    if (code === DOT && (at < 0 || kind === "name")) {
      for (const slot of slots.get(hash) ?? [])
        if (matches(slot, name, wanted) && ask(slot.endpoints)) return "port";
    }
    hash = mixed(hash, code);
  }
  return found;
}

function setOf(
  slots: Map<number, Slot[]>,
  { kind, host }: NetworkGrant["hosts"][number]["pattern"],
): Set<number> {
  const slotKind = kind === "suffix" ? "suffix" : "exact";
  let hash = 0;
  for (let at = host.length - 1; at >= 0; at -= 1) hash = mixed(hash, host.charCodeAt(at));
  const list = slots.get(hash) ?? [];
  slots.set(hash, list);
  let slot = list.find((other) => other.kind === slotKind && other.host === host);
  if (slot === undefined) {
    slot = { kind: slotKind, host, endpoints: new Set() };
    list.push(slot);
  }
  return slot.endpoints;
}
