/**
 * @module The one table that gives each capability its meet: the effective grant holds only what
 * every side allows. Booleans: both; numbers: the smaller; sets: what both have; patterns and paths:
 * the contained one. A side that has no say about a field carries its top element.
 */
import type { FileRight } from "@glovebox/core/ports";

import {
  type Endpoint,
  type HostPattern,
  patternContains,
  patternText,
} from "../target/host-pattern.ts";
import type { FolderGrant, HostEntry } from "./grant.ts";

/** A guest folder with rights, and the host side where the policy speaks. */
export interface PathEntry {
  readonly guest: string;
  readonly rights: readonly FileRight[];
  /** Absent on a request or an approval, which cannot name host folders. */
  readonly root?: Omit<FolderGrant, "guest" | "below" | "rights"> & { readonly guest: string };
}

/** One side of the meet, in parsed form. */
export interface Capabilities {
  readonly httpOutbound: boolean;
  readonly hosts: readonly HostEntry[];
  readonly paths: readonly PathEntry[];
  readonly maxMemoryBytes: number | undefined;
  readonly maxCpuTimeMs: number | undefined;
  readonly maxInstructions: number | undefined;
}

type Meet<T> = (left: T, right: T) => T;

const both: Meet<boolean> = (left, right) => left && right;
const smaller: Meet<number | undefined> = (left, right) =>
  left === undefined || right === undefined ? (left ?? right) : Math.min(left, right);

/** How each field is narrowed. */
export const FIELD_MEETS: { readonly [Field in keyof Capabilities]: Meet<Capabilities[Field]> } = {
  httpOutbound: both,
  hosts: meetHosts,
  paths: meetPaths,
  maxMemoryBytes: smaller,
  maxCpuTimeMs: smaller,
  maxInstructions: smaller,
};

/** What both sides allow. */
export function meet(left: Capabilities, right: Capabilities): Capabilities {
  return {
    httpOutbound: FIELD_MEETS.httpOutbound(left.httpOutbound, right.httpOutbound),
    hosts: FIELD_MEETS.hosts(left.hosts, right.hosts),
    paths: FIELD_MEETS.paths(left.paths, right.paths),
    maxMemoryBytes: FIELD_MEETS.maxMemoryBytes(left.maxMemoryBytes, right.maxMemoryBytes),
    maxCpuTimeMs: FIELD_MEETS.maxCpuTimeMs(left.maxCpuTimeMs, right.maxCpuTimeMs),
    maxInstructions: FIELD_MEETS.maxInstructions(left.maxInstructions, right.maxInstructions),
  };
}

/** Whether `outer` is `inner` or a folder above it; both without a trailing slash. */
export function pathContains(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(outer === "/" ? "/" : `${outer}/`);
}

function meetHosts(left: readonly HostEntry[], right: readonly HostEntry[]): readonly HostEntry[] {
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
  return [...met.values()].map((entry) => ({
    pattern: entry.pattern,
    endpoints: [...entry.endpoints],
  }));
}

function containedOf(left: HostPattern, right: HostPattern): HostPattern | undefined {
  if (patternContains(left, right)) return right;
  return patternContains(right, left) ? left : undefined;
}

function meetPaths(left: readonly PathEntry[], right: readonly PathEntry[]): readonly PathEntry[] {
  const met = new Map<string, PathEntry>();
  for (const a of left) {
    for (const b of right) {
      const guest = pathContains(a.guest, b.guest)
        ? b.guest
        : pathContains(b.guest, a.guest)
          ? a.guest
          : undefined;
      if (guest === undefined) continue;
      // A folder without rights stays: it must shadow a wider grant above it.
      const rights = a.rights.filter((one) => b.rights.includes(one));
      const root = a.root ?? b.root;
      // Two roots may lead to one guest folder: the deeper one speaks, as it does for a path.
      const other = met.get(guest)?.root;
      if (other !== undefined && other.guest.length >= (root?.guest.length ?? 0)) continue;
      met.set(guest, root === undefined ? { guest, rights } : { guest, rights, root });
    }
  }
  return [...met.values()];
}
