/**
 * @module Guest paths by value (CWE-22, CWE-158). Nothing is decoded or resolved: what a file system
 * or another platform could read differently is refused. The prefix must match byte for byte before
 * `.` and empty components are dropped; `..` is never followed.
 */
import { type Decision, allow, refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";

import { MAX_COMPONENT_BYTES, MAX_PATH_CHARACTERS } from "../limits.ts";

const RULE = "filesystem.path";
// oxlint-disable-next-line no-control-regex -- control characters are what is refused
const FORBIDDEN = /[\u0000-\u001f\u007f\\:]/;
// Also with superscript digits, which Windows treats alike (CVE-2024-51756 in cap-std).
const DEVICE =
  /^(?:con|prn|aux|nul|clock\$|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])(?: *\.|$)/i;

/** The rest of a path below a prefix. */
export interface ParsedRest {
  readonly components: readonly string[];
  /** A trailing slash or dot: only a folder may be meant. */
  readonly namesDirectory: boolean;
}

/** Whether the raw value is a path at all; it is attacker-controlled and may be of any type. */
export function checkRawPath(raw: unknown): Decision<string> {
  if (typeof raw !== "string") return refused(raw, "a string");
  if (raw.length > MAX_PATH_CHARACTERS)
    return refused(raw, `at most ${MAX_PATH_CHARACTERS} characters`);
  if (!raw.startsWith("/")) return refused(raw, "an absolute path");
  if (FORBIDDEN.test(raw) || !raw.isWellFormed()) {
    return refused(raw, "free of control characters, backslashes, colons and lone surrogates");
  }
  return allow(RULE, raw);
}

/** The broker's own folder below a host directory; no plugin ever sees or names it. */
export const RESERVED_NAME = ".glovebox-tmp";

/** The components of what follows a matched prefix. */
export function parseRest(raw: string, rest: string, allowHidden = false): Decision<ParsedRest> {
  const parts = rest.split("/");
  const last = parts.at(-1);
  const components: string[] = [];
  for (const part of parts) {
    if (part === "" || part === ".") continue;
    if (part === "..") return refused(raw, "without `..`");
    if (Buffer.byteLength(part) > MAX_COMPONENT_BYTES)
      return refused(raw, `components of at most ${MAX_COMPONENT_BYTES} bytes`);
    if (!isPlainName(part, allowHidden)) {
      return refuse(
        "BROKER_PATH_NAME",
        RULE,
        `${received(part)} is hidden, reserved or ends in a dot or space`,
      );
    }
    components.push(part);
  }
  return allow(RULE, { components, namesDirectory: rest !== "" && (last === "" || last === ".") });
}

/** Whether a component is neither hidden nor one that the broker or another platform reads differently. */
export function isPlainName(name: string, allowHidden: boolean): boolean {
  if (/[. ]$/.test(name) || DEVICE.test(name)) return false;
  return !name.startsWith(".") || (allowHidden && name.toLowerCase() !== RESERVED_NAME);
}

/** Whether a name that a folder holds could also be asked for. */
export function isAskable(name: string, allowHidden: boolean): boolean {
  return (
    isPlainName(name, allowHidden) &&
    !FORBIDDEN.test(name) &&
    // What is not UTF-8 comes with replacement characters, and would not be found under that name.
    !name.includes("\ufffd")
  );
}

/** A folder of a request or a policy, in canonical form: `/` or `/a/b`. */
export function parseGuestFolder(raw: unknown): Decision<string> {
  const path = checkRawPath(raw);
  if (!path.allowed) return path;
  const rest = parseRest(path.value, path.value.slice(1));
  if (!rest.allowed) return rest;
  const canonical = `/${rest.value.components.join("/")}`;
  return path.value === canonical || path.value === `${canonical}/`
    ? allow(RULE, canonical)
    : refused(raw, "without empty or `.` components");
}

/** The last component from its last dot on, lower case; empty without one. */
export function extensionOf(name: string): string {
  const dot = name.lastIndexOf(".");
  return dot < 0 ? "" : name.slice(dot).toLowerCase();
}

function refused(raw: unknown, expected: string): Decision<never> {
  return refuse(
    "BROKER_PATH_SYNTAX",
    RULE,
    `a path must be ${expected}; received ${received(raw)}`,
  );
}
