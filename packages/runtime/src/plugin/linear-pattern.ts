/**
 * @module The regular expressions of a plugin's schemas, on an engine whose time grows with the text
 * only (RE2's algorithm): V8's backtracks (ReDoS, CWE-1333), and the manifest's rule, which counts the
 * ways in which it could, is then not the only thing between a pattern and the host's thread.
 *
 * RE2 has no look-around and no back-references, which no manifest may have either, and reads a few
 * escapes differently; those are written out here, so that a pattern means what ECMA-262 says.
 */
import { RE2JS } from "re2js";

/** WhiteSpace and LineTerminator of ECMA-262, and everything else, as ranges inside a class. */
const SPACE = String.raw`\t-\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}`;
const NO_SPACE = String.raw`\x{0}-\x{8}\x{e}-\x{1f}\x{21}-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e}\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{fefe}\x{ff00}-\x{10ffff}`;
const NO_LINE_END = String.raw`[^\n\r\x{2028}\x{2029}]`;

const ANY = String.raw`[\x{0}-\x{10ffff}]`;
const NONE = String.raw`[^\x{0}-\x{10ffff}]`;

/** A surrogate pair, a script, another escape, a class without members, an end of one, a dot, a group's name. */
const TOKEN =
  /\\u(d[89ab][\da-f]{2})\\u(d[c-f][\da-f]{2})|\\[pP]\{(?:Script|sc)=\w+\}|\\u(?:\{[\da-f]+\}|[\da-f]{4})|\\c[a-z]|\\.|\[\^?\]|[[\].]|\(\?</gisu;

/** Tokens outside a class, and in one, that RE2 reads in another way → the same for RE2. */
const OUTSIDE: Readonly<Record<string, string>> = {
  ".": NO_LINE_END,
  "(?<": "(?P<",
  "[]": NONE,
  "[^]": ANY,
  "\\s": `[${SPACE}]`,
  "\\S": `[${NO_SPACE}]`,
  "\\0": String.raw`\x{0}`,
};
const INSIDE: Readonly<Record<string, string>> = {
  "[": String.raw`\[`,
  "[]": String.raw`\[]`,
  "[^]": String.raw`\[^]`,
  "\\s": SPACE,
  "\\S": NO_SPACE,
  "\\0": String.raw`\x{0}`,
  "\\b": String.raw`\x{8}`,
};

/**
 * Compiles a pattern, which is attacker-controlled, for ajv.
 *
 * @throws what the engine throws for a pattern that it does not take
 */
export function linearPattern(pattern: string): RE2JS {
  let isInClass = false;
  return RE2JS.compile(
    pattern.replace(TOKEN, (token: string, high?: string, low?: string) => {
      if (high !== undefined && low !== undefined) {
        const pair = String.fromCharCode(Number.parseInt(high, 16), Number.parseInt(low, 16));
        return escaped(pair.codePointAt(0));
      }
      const table = isInClass ? INSIDE : OUTSIDE;
      if (token === "[") isInClass = true;
      else if (token.endsWith("]") && token[0] !== "\\") isInClass = false;
      if (Object.hasOwn(table, token)) return table[token] ?? token;
      if (token.startsWith("\\u")) return String.raw`\x{${token.replace(/^\\u\{?|\}$/g, "")}}`;
      if (/^\\c./.test(token)) return escaped(token.charCodeAt(2) % 32);
      return token.replace(/\{(?:Script|sc)=/, "{");
    }),
  );
}

/** What ajv would write into a module of its own; none is ever written. */
linearPattern.code = "linearPattern";

function escaped(codePoint = 0): string {
  return String.raw`\x{${codePoint.toString(16)}}`;
}
