/** @module The token in the `Authorization` header (RFC 6750 section 2.1). */
import { Fields } from "@glovebox/plugin-sdk/assembly";

/**
 * The token, or empty text. Two headers that differ in case only are none: what stands before us may
 * have checked the other one.
 */
export function bearerToken(headers: Fields): string {
  const names = headers.value.members.keys();
  let value = "";
  let found = 0;
  for (let at = 0; at < names.length; at++) {
    if (names[at].toLowerCase() != "authorization") continue;
    found++;
    const header = headers.value.get(names[at]);
    if (header.isText) value = header.text;
  }
  if (found != 1 || value.length < 8) return "";
  return value.substring(0, 7).toLowerCase() == "bearer " ? value.substring(7).trim() : "";
}
