/**
 * @module A JWS in compact form (RFC 7515 section 7.1), taken apart but not believed yet. The header
 * must say HS256 itself: a token that chooses another algorithm, `none` above all, or that has
 * extensions it calls critical, is none (RFC 8725 section 3.1).
 */
import { encodeText, JsonValue, tryParseJson } from "@glovebox/plugin-sdk/assembly";

import { decodeBase64Url } from "./base64url";

/** Characters; identity providers stay below 4 KiB, as headers of 8 KiB are refused by most servers. */
const MAX_TOKEN_LENGTH = 8_192;
/** Bytes of a SHA-256 MAC. */
const MAC_BYTES = 32;

/** A token's parts. */
export class Token {
  constructor(
    /** What the MAC covers. */
    readonly signed: Uint8Array,
    readonly mac: Uint8Array,
    readonly claims: JsonValue,
  ) {}
}

/** The parts of a token that has the right form, else `null`. */
export function parseToken(raw: string): Token | null {
  if (raw.length > MAX_TOKEN_LENGTH) return null;
  const parts = raw.split(".");
  if (parts.length != 3) return null;
  const header = jsonPart(parts[0]);
  const claims = jsonPart(parts[1]);
  const mac = decodeBase64Url(parts[2]);
  if (header === null || claims === null || mac === null) return null;
  if (header.get("alg").text != "HS256" || header.members.has("crit")) return null;
  if (mac.length != MAC_BYTES) return null;
  return new Token(encodeText(parts[0] + "." + parts[1]), mac, claims);
}

function jsonPart(part: string): JsonValue | null {
  const bytes = decodeBase64Url(part);
  if (bytes === null) return null;
  const value = tryParseJson(bytes);
  return value !== null && value.isObject ? value : null;
}
