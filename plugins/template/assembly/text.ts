/** @module Texts cut and masked by UTF-16 units, never through the middle of a surrogate pair. */

/** At most `length` units of `text`; `ending` stands for what is left out, and counts. */
export function cut(text: string, length: i32, ending: string): string {
  if (text.length <= length) return text;
  let end = max(0, length - ending.length);
  if (end > 0 && isHighSurrogate(text.charCodeAt(end - 1))) end--;
  return length < ending.length ? "" : text.substring(0, end) + ending;
}

/** Stars for all but the last `shown` units; a text that is no longer than that is all stars. */
export function mask(text: string, shown: i32): string {
  if (text.length <= shown) return "*".repeat(text.length);
  let from = text.length - shown;
  if (from < text.length && isHighSurrogate(text.charCodeAt(from - 1))) from++;
  return "*".repeat(from) + text.substring(from);
}

function isHighSurrogate(unit: i32): bool {
  return (unit & 0xfc00) == 0xd800;
}
