/**
 * @module What a plugin asks of the network. Only the shape is checked: what hosts, paths and secrets
 * mean, and whether they are granted, is the capability broker's to say.
 */
import {
  MAX_ALLOWED_HOSTS,
  MAX_HOST_CHARACTERS,
  MAX_NETWORK_LIST_ENTRIES,
  MAX_PATH_CHARACTERS,
} from "../limits.ts";
import type { NetworkLimitName } from "../manifest.ts";
import {
  checkBoolean,
  checkTexts,
  checkWholeNumbers,
  listAt,
  reportType,
  type Rule,
  type TextCheck,
} from "../rule.ts";
import { childPointer } from "../yaml/source-tree.ts";

const BLOCK = "/capabilities/network";
// Labels of RFC 1123 section 2.1, lower case, with the underscore that some real names have.
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
// Segments of RFC 3986 section 3.3 without escapes and path parameters.
const PATH_PREFIX = /^(?:\/|(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._~!$&'()*+,=:@-]+)+)$/;

/** Key of each list of texts in the block → what its entries must be. */
const TEXT_LISTS: Readonly<Record<string, TextCheck & { readonly max: number }>> = {
  allowed_hosts: {
    max: MAX_ALLOWED_HOSTS,
    code: "MANIFEST_HOST",
    expected: "a lower-case host name, or *. and one, without scheme, port or path",
    isValid: isHostPattern,
  },
  methods: {
    max: MAX_NETWORK_LIST_ENTRIES,
    code: "MANIFEST_VALUE",
    expected: "a method in upper case, such as GET, but not CONNECT or TRACE",
    isValid: (text) => /^(?!CONNECT$|TRACE$)[A-Z]{1,20}$/.test(text),
  },
  path_prefixes: {
    max: MAX_NETWORK_LIST_ENTRIES,
    code: "MANIFEST_PATH",
    expected: "an absolute path such as /v1, without query, escapes or a slash at its end",
    isValid: (text) => text.length <= MAX_PATH_CHARACTERS && PATH_PREFIX.test(text),
  },
  spki_pins: {
    max: MAX_NETWORK_LIST_ENTRIES,
    code: "MANIFEST_VALUE",
    expected: "the SHA-256 digest of a public key in base64, 44 characters",
    isValid: (text) => /^[A-Za-z0-9+/]{43}=$/.test(text),
  },
  secrets: {
    max: MAX_NETWORK_LIST_ENTRIES,
    code: "MANIFEST_VALUE",
    expected: "a secret's name: 1 to 64 letters, digits, dots, underscores and hyphens",
    isValid: (text) => /^[A-Za-z0-9._-]{1,64}$/.test(text),
  },
};

/** Limit → its key in the manifest, which is in snake case like all others. */
export const NETWORK_LIMIT_KEYS: Readonly<Record<NetworkLimitName, string>> = {
  resolveTimeoutMs: "resolve_timeout_ms",
  connectTimeoutMs: "connect_timeout_ms",
  firstByteTimeoutMs: "first_byte_timeout_ms",
  idleTimeoutMs: "idle_timeout_ms",
  totalTimeoutMs: "total_timeout_ms",
  minBytesPerSecond: "min_bytes_per_second",
  maxRequestBytes: "max_request_bytes",
  maxResponseBytes: "max_response_bytes",
  maxDecodedBytes: "max_decoded_bytes",
  maxHeadBytes: "max_head_bytes",
  maxRatio: "max_ratio",
  maxCodings: "max_codings",
  maxRedirects: "max_redirects",
  maxConcurrent: "max_concurrent",
  maxRequestsPerMinute: "max_requests_per_minute",
  maxLookUpsPerMinute: "max_look_ups_per_minute",
};

/** The network block holds a boolean, lists of texts, ports, and limits. */
export const networkRequestIsValid: Rule = (context) => {
  checkBoolean(context, `${BLOCK}/allow_http_outbound`);
  for (const [key, { max, ...check }] of Object.entries(TEXT_LISTS)) {
    checkTexts(context, `${BLOCK}/${key}`, max, check);
  }
  const pins = context.valueAt(`${BLOCK}/spki_pins`);
  if (Array.isArray(pins) && pins.length === 0) {
    // No pin at all would be no bound, not a bound that nothing meets.
    context.report("MANIFEST_VALUE", `${BLOCK}/spki_pins`, { expected: "at least one pin" });
  }
  checkWholeNumbers(context, `${BLOCK}/limits`, Object.values(NETWORK_LIMIT_KEYS), 0);
};

/** Each port is a number from 1 to 65535. */
export const networkPortsAreValid: Rule = (context) => {
  const ports = listAt(context, `${BLOCK}/ports`, MAX_NETWORK_LIST_ENTRIES) ?? [];
  for (const [index, port] of ports.entries()) {
    const place = childPointer(`${BLOCK}/ports`, index);
    if (typeof port !== "number") reportType(context, place, "a whole number", port);
    else if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      context.report("MANIFEST_LIMIT", place, {
        expected: "a whole number from 1 to 65535",
        received: port,
      });
    }
  }
};

/** An exact host name, or `*.` and one. The star stands only for whole labels on the left. */
function isHostPattern(pattern: string): boolean {
  const host = pattern.startsWith("*.") ? pattern.slice(2) : pattern;
  return host.length <= MAX_HOST_CHARACTERS && host.split(".").every((label) => LABEL.test(label));
}
