/** @module Text for one component of a URL (RFC 3986 section 2.1): a path segment, a query's value. */

/**
 * Encodes text for a path segment or a query value; every reserved character becomes percent form,
 * so that the text stays inside its component. A whole URL is not text: check it as a URL.
 *
 * @example
 * ```ts
 * encodeUrlComponent("a/../b?c=d"); // "a%2F..%2Fb%3Fc%3Dd"
 * ```
 */
export function encodeUrlComponent(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(/[!'()*]/g, percentForm);
}

function percentForm(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
