/**
 * @module The one table that gives each capability its meet and its containment test. The effective
 * grant holds only what every side allows; an attenuation or an approval is proved by containment.
 * `undefined` means that a side has no say about a field: the top element, which contains all.
 */
import type { NetworkLimits } from "./grant.ts";
import { type HostEntry, hostsContain, meetHosts } from "./host-set.ts";
import { type PathEntry, meetPaths, pathContains, pathsContain } from "./path-set.ts";

/** One side of the meet, in parsed form. */
export interface Capabilities extends LimitBounds {
  readonly httpOutbound: boolean;
  readonly hosts: readonly HostEntry[];
  readonly methods: readonly string[] | undefined;
  /** Contained as folders are: `/v1` holds `/v1/a`. */
  readonly pathPrefixes: readonly string[] | undefined;
  /** Lists of SPKI pins; a key must be in every list. */
  readonly pins: readonly (readonly string[])[];
  /** Names of secrets that may be inserted. */
  readonly secrets: readonly string[];
  readonly paths: readonly PathEntry[];
  readonly maxMemoryBytes: number | undefined;
  readonly maxCpuTimeMs: number | undefined;
  readonly maxInstructions: number | undefined;
  /** Totals over the life of a grant. */
  readonly quotaRequests: number | undefined;
  readonly quotaSentBytes: number | undefined;
  readonly quotaReceivedBytes: number | undefined;
  /** On the monotonic clock. */
  readonly expiresAtMs: number | undefined;
}

/** The limits of a grant, each said or not. */
export type LimitBounds = { readonly [Limit in keyof NetworkLimits]: number | undefined };

/** How one field is narrowed, and when one value of it is within another. */
export interface Field<T> {
  readonly meet: (left: T, right: T) => T;
  readonly contains: (outer: T, inner: T) => boolean;
}

const BOTH: Field<boolean> = {
  meet: (left, right) => left && right,
  contains: (outer, inner) => outer || !inner,
};
const SMALLER: Field<number | undefined> = {
  meet: (left, right) =>
    left === undefined || right === undefined ? (left ?? right) : Math.min(left, right),
  contains: (outer, inner) => outer === undefined || (inner !== undefined && inner <= outer),
};
/** A floor that others must stay above: the larger is the stricter. */
const LARGER: Field<number | undefined> = {
  meet: (left, right) =>
    left === undefined || right === undefined ? (left ?? right) : Math.max(left, right),
  contains: (outer, inner) => outer === undefined || (inner !== undefined && inner >= outer),
};
const NAMES: Field<readonly string[]> = {
  meet: (left, right) => distinct(left.filter((name) => right.includes(name))),
  contains: (outer, inner) => inner.every((name) => outer.includes(name)),
};
const PREFIXES: Field<readonly string[]> = {
  meet: (left, right) =>
    distinct(
      left.flatMap((one) =>
        right.flatMap((other) =>
          pathContains(one, other) ? [other] : pathContains(other, one) ? [one] : [],
        ),
      ),
    ),
  contains: (outer, inner) => inner.every((one) => outer.some((other) => pathContains(other, one))),
};
/** Every list must match, so the meet holds them all. */
const PIN_LISTS: Field<Capabilities["pins"]> = {
  meet(left, right) {
    const lists = new Map([...left, ...right].map((list) => [listKey(list), distinct(list)]));
    return [...lists.entries()].toSorted(byKey).map(([, list]) => list);
  },
  contains(outer, inner) {
    const held = new Set(inner.map(listKey));
    return outer.every((list) => held.has(listKey(list)));
  },
};

/** The table. */
export const FIELDS: { readonly [Name in keyof Capabilities]: Field<Capabilities[Name]> } = {
  httpOutbound: BOTH,
  hosts: { meet: meetHosts, contains: hostsContain },
  methods: orNoSay(NAMES),
  pathPrefixes: orNoSay(PREFIXES),
  pins: PIN_LISTS,
  secrets: NAMES,
  paths: { meet: meetPaths, contains: pathsContain },
  maxMemoryBytes: SMALLER,
  maxCpuTimeMs: SMALLER,
  maxInstructions: SMALLER,
  quotaRequests: SMALLER,
  quotaSentBytes: SMALLER,
  quotaReceivedBytes: SMALLER,
  expiresAtMs: SMALLER,
  resolveTimeoutMs: SMALLER,
  connectTimeoutMs: SMALLER,
  firstByteTimeoutMs: SMALLER,
  idleTimeoutMs: SMALLER,
  totalTimeoutMs: SMALLER,
  minBytesPerSecond: LARGER,
  maxRequestBytes: SMALLER,
  maxResponseBytes: SMALLER,
  maxDecodedBytes: SMALLER,
  maxHeadBytes: SMALLER,
  maxRatio: SMALLER,
  maxCodings: SMALLER,
  maxRedirects: SMALLER,
  maxConcurrent: SMALLER,
  maxRequestsPerMinute: SMALLER,
  maxLookUpsPerMinute: SMALLER,
};

const NAMES_OF_FIELDS = Object.keys(FIELDS) as readonly (keyof Capabilities)[];

/** What both sides allow: commutative, associative, idempotent, and within both. */
export function meet(left: Capabilities, right: Capabilities): Capabilities {
  const met = NAMES_OF_FIELDS.map((name) => [name, fieldOf(name).meet(left[name], right[name])]);
  return Object.fromEntries(met) as Capabilities;
}

/** The fields in which `inner` goes beyond `outer`; none = `inner` is contained. */
export function widerFields(
  outer: Capabilities,
  inner: Capabilities,
): readonly (keyof Capabilities)[] {
  return NAMES_OF_FIELDS.filter((name) => !fieldOf(name).contains(outer[name], inner[name]));
}

function fieldOf(name: keyof Capabilities): Field<unknown> {
  // The table's own type ties each name to its field; a union of fields cannot be called.
  return FIELDS[name] as unknown as Field<unknown>;
}

function orNoSay<T>(field: Field<T>): Field<T | undefined> {
  return {
    meet: (left, right) =>
      left === undefined || right === undefined ? (left ?? right) : field.meet(left, right),
    contains: (outer, inner) =>
      outer === undefined || (inner !== undefined && field.contains(outer, inner)),
  };
}

function listKey(list: readonly string[]): string {
  return distinct(list).join();
}

function byKey([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number {
  return left < right ? -1 : 1;
}

function distinct(list: readonly string[]): readonly string[] {
  return [...new Set(list)].toSorted();
}
