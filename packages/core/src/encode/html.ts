/**
 * @module Text for an HTML page (CWE-79), for element content and for quoted attribute values; not
 * for scripts, styles, or the meaning of URLs. Characters that act without being markup get a
 * visible form, because a character reference would only bring them back.
 */
import { makeVisible } from "./visible.ts";

/** Controls but tab and line feed, separators, half surrogate pairs, bidirectional controls, BOM. */
const UNSAFE_IN_HTML = /[^\P{Cc}\t\n]|[\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}\ufeff]/gu;

const REFERENCES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  "`": "&#96;",
  "\t": "&#9;",
  "\n": "&#10;",
};

/** Encodes text for the content of an element, such as `<td>`; not for `<script>` or `<style>`. */
export function encodeHtmlText(text: string): string {
  return makeVisible(text, UNSAFE_IN_HTML).replace(/[&<>]/g, reference);
}

/**
 * Encodes text for an attribute's value within double or single quotes. It says nothing of what the
 * attribute means: a URL's scheme is the caller's to check.
 */
export function encodeHtmlAttribute(text: string): string {
  return makeVisible(text, UNSAFE_IN_HTML).replace(/[&<>"'`\t\n]/g, reference);
}

function reference(character: string): string {
  return REFERENCES[character] ?? character;
}
