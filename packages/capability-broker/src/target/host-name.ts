/**
 * @module What a host may look like, for URLs and patterns alike. A name that two parsers read
 * differently is how filters are passed (full-width letters, soft hyphens, ideographic dots,
 * trailing dots, octal addresses): so only one spelling of each host is accepted. RFC 1123 section
 * 2.1, RFC 5890 section 2.3, RFC 6761; broker rules 2 and 3.
 */
import { domainToASCII, domainToUnicode } from "node:url";

import { type Decision, allow, refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";

import { MAX_LABEL_OCTETS, MAX_NAME_OCTETS } from "../limits.ts";
import { type Address, parseIpv4, parseIpv6 } from "./address.ts";

/** A host in its one canonical form. */
export type Host =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "address"; readonly name: string; readonly address: Address };

const RULE = "network.host";
const LABEL = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
const NUMERIC_LABEL = /^(?:\d+|0x[0-9a-f]*)$/;
// RFC 6761, 6762, 7686, 8375, 9476, ICANN's `internal`, and suffixes that search lists resolve.
const SPECIAL_USE =
  /(?:^|\.)(?:localhost|localdomain|local|internal|intranet|lan|home|corp|home\.arpa|onion|alt|test|invalid|svc)$/;

/** Whether a name must never go to DNS: local, special-use, or a single label. */
export function isSpecialUseName(name: string): boolean {
  return !name.includes(".") || SPECIAL_USE.test(name);
}

// Two or more LDH labels in lower case, the last of letters: no address in any notation.
const PLAIN_NAME = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/;

/** Whether a text is a name that needs no more than this: neither an A-label nor a special one. */
export function isPlainName(text: string): boolean {
  if (text.length > MAX_NAME_OCTETS || !PLAIN_NAME.test(text)) return false;
  return !text.includes("xn--") && !isSpecialUseName(text);
}

/** A lower-case ASCII host: a name of LDH labels, or an address (IPv6 in brackets). */
export function parseAsciiHost(text: string): Decision<Host> {
  if (text.startsWith("[")) {
    const address = text.endsWith("]") ? parseIpv6(text.slice(1, -1)) : undefined;
    return address === undefined
      ? malformed(text, "an IPv6 address in brackets, without a zone")
      : allow(RULE, { kind: "address", name: text, address });
  }
  const labels = text.split(".");
  const last = labels.at(-1) ?? "";
  if (NUMERIC_LABEL.test(last)) {
    const address = parseIpv4(text);
    return address === undefined
      ? malformed(text, "an IPv4 address as four decimal numbers")
      : allow(RULE, { kind: "address", name: text, address });
  }
  if (text.length > MAX_NAME_OCTETS) return malformed(text, `at most ${MAX_NAME_OCTETS} octets`);
  for (const label of labels) {
    if (label.length > MAX_LABEL_OCTETS || !LABEL.test(label)) {
      return malformed(text, "labels of 1–63 letters, digits and inner hyphens");
    }
    // A fake A-label decodes to nothing or to something else than it came from.
    if (label.startsWith("xn--")) {
      const decoded = domainToUnicode(label);
      if (decoded === label || decoded === "" || domainToASCII(decoded) !== label) {
        return malformed(text, "A-labels that decode and encode to themselves");
      }
    }
  }
  if (isSpecialUseName(text)) {
    return refuse("BROKER_HOST_SPECIAL", RULE, `${received(text)} is a local or special-use name`);
  }
  return allow(RULE, { kind: "name", name: text });
}

/**
 * The host of a URL: `raw` as the plugin wrote it, `parsed` as the WHATWG parser understood it. Both
 * are attacker-controlled; they must say the same.
 */
export function parseUrlHost(raw: string, parsed: string): Decision<Host> {
  if (raw.startsWith("[")) {
    const written = parseIpv6(raw.slice(1, -1));
    const understood = parseIpv6(parsed.slice(1, -1));
    if (written === undefined || understood === undefined || written.value !== understood.value) {
      return malformed(raw, "an IPv6 address in brackets, without a zone");
    }
    return parseAsciiHost(parsed);
  }
  const lower = raw.normalize("NFC").toLowerCase();
  // KELVIN SIGN and its like become ASCII by normalisation: not a spelling of an ASCII name.
  const hidesAscii = Array.from(raw).some(
    (character) => character > "\u007f" && /^[\0-\u007f]+$/.test(character.normalize("NFC")),
  );
  if (hidesAscii || (lower !== parsed && lower !== domainToUnicode(parsed))) {
    return malformed(raw, `the canonical spelling of ${received(parsed)}`);
  }
  return parseAsciiHost(parsed);
}

function malformed(text: string, expected: string): Decision<never> {
  return refuse(
    "BROKER_HOST_NAME",
    RULE,
    `the host must be ${expected}; received ${received(text)}`,
  );
}
