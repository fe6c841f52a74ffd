/**
 * @module Paths of URLs, where a grant names prefixes (CWE-22): a path matches as the WHATWG parser
 * wrote it, and what another server could decode into a separator or a step upwards matches nothing.
 */

const AMBIGUOUS = /%(?:2e|2f|5c|25|00|3b)|\/\/|;/i;

/** Whether a text is a prefix: canonical, absolute, without query and without a slash at its end. */
export function isPathPrefix(text: string): boolean {
  if (text === "/") return true;
  if (!/^\/[^?#%;]*[^/?#%;]$/.test(text) || text.includes("//") || text.length > 1_024)
    return false;
  return URL.parse(`https://example.com${text}`)?.pathname === text;
}

/** Whether a canonical path with its query is a prefix or lies below it. */
export function isWithinPrefix(pathAndQuery: string, prefix: string): boolean {
  const query = pathAndQuery.indexOf("?");
  const path = query < 0 ? pathAndQuery : pathAndQuery.slice(0, query);
  if (prefix === "/") return true;
  if (AMBIGUOUS.test(path)) return false;
  return path === prefix || path.startsWith(`${prefix}/`);
}
