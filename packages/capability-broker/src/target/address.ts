/**
 * @module Addresses by value, and which of them are public. Server-side request forgery (CWE-918)
 * lives from addresses that look public to a text check: so text is parsed once, strictly, and what
 * is not in the allowed ranges is denied. Ranges: the IANA IPv4 and IPv6 special-purpose registries
 * (RFC 6890 and successors), IPv6 only inside 2000::/3.
 */

/** An address by value. */
export interface Address {
  readonly family: 4 | 6;
  readonly value: bigint;
}

/** A range of addresses. */
export interface Cidr extends Address {
  readonly prefix: number;
}

const DOT = 0x2e;
const ZERO = 0x30;

/**
 * Canonical dotted-decimal IPv4 only: no octal, hexadecimal, short or padded forms. By hand, for each
 * answer of a look-up comes through here (bench: https_request_vs_undici).
 */
export function parseIpv4(text: string): Address | undefined {
  let value = 0;
  let octets = 0;
  // Below 0 where a digit has to come.
  let octet = -1;
  for (let at = 0; at <= text.length; at += 1) {
    const code = at === text.length ? DOT : text.charCodeAt(at);
    if (code === DOT) {
      if (octet < 0 || octets === 4) return undefined;
      value = value * 256 + octet;
      octets += 1;
      octet = -1;
    } else {
      const digit = code - ZERO;
      // A zero stands alone: behind it other parsers read octal.
      if (digit < 0 || digit > 9 || octet === 0) return undefined;
      octet = Math.max(octet, 0) * 10 + digit;
      if (octet > 255) return undefined;
    }
  }
  return octets === 4 ? { family: 4, value: BigInt(value) } : undefined;
}

/** IPv6 (RFC 4291 section 2.2) without zone; a dotted tail is read, and then denied by its value. */
export function parseIpv6(text: string): Address | undefined {
  if (!/^[0-9a-f:.]{2,45}$/i.test(text)) return undefined;
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = groupsOf(halves[0] ?? "", halves.length === 1);
  const tail = halves.length === 2 ? groupsOf(halves[1] ?? "", true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  let value = 0n;
  for (const group of [...head, ...Array<number>(Math.max(missing, 0)).fill(0), ...tail]) {
    value = (value << 16n) | BigInt(group);
  }
  return { family: 6, value };
}

function groupsOf(text: string, mayEndDotted: boolean): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    if (part.includes(".")) {
      const dotted = mayEndDotted && index === parts.length - 1 ? parseIpv4(part) : undefined;
      if (dotted === undefined) return undefined;
      groups.push(Number(dotted.value >> 16n), Number(dotted.value & 0xffffn));
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

/** Either family, without brackets. */
export function parseAddress(text: string): Address | undefined {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

/** `address/prefix` with no host bits set; `undefined` for anything else. */
export function parseCidr(text: string): Cidr | undefined {
  const match = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text);
  const address = parseAddress(match?.[1] ?? "");
  const prefix = Number(match?.[2]);
  if (address === undefined || prefix > bitsOf(address)) return undefined;
  const range = { ...address, prefix };
  return address.value === networkOf(address, prefix) ? range : undefined;
}

/** Whether the range holds the address; families never mix. */
export function cidrContains(range: Cidr, address: Address): boolean {
  return range.family === address.family && networkOf(address, range.prefix) === range.value;
}

/** Whether the two are one address. */
export function isSameAddress(left: Address, right: Address): boolean {
  return left.family === right.family && left.value === right.value;
}

function bitsOf(address: Address): 32 | 128 {
  return address.family === 4 ? 32 : 128;
}

function networkOf(address: Address, prefix: number): bigint {
  const hostBits = BigInt(bitsOf(address) - prefix);
  return (address.value >> hostBits) << hostBits;
}

/** A range by its ends: every request's addresses are compared with all of them. */
interface Span {
  readonly first: bigint;
  readonly last: bigint;
}

function spans(...texts: readonly string[]): readonly Span[] {
  return texts.map((text) => {
    const range = parseCidr(text);
    if (range === undefined) throw new Error(`not a range: ${text}`);
    const size = 1n << BigInt(bitsOf(range) - range.prefix);
    return { first: range.value, last: range.value + size - 1n };
  });
}

// 168.63.129.16 is public on paper and the platform's own service inside Azure.
const IPV4_DENIED = spans(
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
  "168.63.129.16/32",
);
const IPV6_PUBLIC = spans("2000::/3");
const IPV6_DENIED = spans("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20");
// The parts of 2001::/23 that the registry marks globally reachable.
const IPV6_REACHABLE = spans(
  "2001:1::1/128",
  "2001:1::2/128",
  "2001:1::3/128",
  "2001:3::/32",
  "2001:4:112::/48",
  "2001:20::/28",
  "2001:30::/28",
);

/** Whether an address is globally reachable unicast. */
export function isPublicAddress(address: Address): boolean {
  const { family, value } = address;
  const within = (list: readonly Span[]): boolean =>
    list.some(({ first, last }) => first <= value && value <= last);
  if (family === 4) return !within(IPV4_DENIED);
  return within(IPV6_PUBLIC) && (!within(IPV6_DENIED) || within(IPV6_REACHABLE));
}
