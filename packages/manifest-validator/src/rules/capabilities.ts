/**
 * @module What the plugin asks for. Only the shape is checked: whether it is granted is decided by
 * the host's policy, in the capability broker.
 */
import type { FileRight } from "@glovebox/core/ports";

import { MAX_ALLOWED_HOSTS, MAX_ALLOWED_PATHS, MAX_HOST_CHARACTERS } from "../limits.ts";
import { checkBoolean, listAt, mapAt, type Rule, reportType, type RuleContext } from "../rule.ts";
import { childPointer } from "../yaml/source-tree.ts";
import { GUEST_PATH_SHAPE, isGuestPath } from "./path-shape.ts";

/** Rights of the file port; what they open is the broker's to say. */
const FILE_RIGHTS = [
  ...(["read", "write", "create", "append", "truncate", "setTimes"] as const),
  ...(["list", "stat", "delete", "rename", "mkdir", "link"] as const),
] satisfies readonly FileRight[];

// Labels of RFC 1123 section 2.1, lower case, with the underscore that some real names have.
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** The network block holds a boolean and a list of host patterns. */
export const networkRequestIsValid: Rule = (context) => {
  checkBoolean(context, "/capabilities/network/allow_http_outbound");
  checkTexts(context, "/capabilities/network/allowed_hosts", MAX_ALLOWED_HOSTS, {
    code: "MANIFEST_HOST",
    expected: "a lower-case host name, or *. and one, without scheme, port or path",
    isValid: isHostPattern,
  });
};

/** The filesystem block holds two booleans, a list of guest paths and one of rights. */
export const filesystemRequestIsValid: Rule = (context) => {
  checkBoolean(context, "/capabilities/filesystem/allow_read");
  checkBoolean(context, "/capabilities/filesystem/allow_write");
  checkTexts(context, "/capabilities/filesystem/allowed_paths", MAX_ALLOWED_PATHS, {
    code: "MANIFEST_PATH",
    expected: GUEST_PATH_SHAPE,
    isValid: isGuestPath,
  });
  checkTexts(context, "/capabilities/filesystem/rights", FILE_RIGHTS.length, {
    code: "MANIFEST_VALUE",
    expected: `one of ${FILE_RIGHTS.join(", ")}`,
    isValid: (text) => FILE_RIGHTS.some((right) => right === text),
  });
};

/** Each resource is a positive whole number that a double holds exactly. */
export const resourceRequestIsValid: Rule = (context) => {
  const resources = mapAt(context, "/capabilities/resources") ?? {};
  for (const key of ["max_memory_bytes", "max_cpu_time_ms", "max_instructions"]) {
    const value = Object.hasOwn(resources, key) ? resources[key] : undefined;
    const pointer = `/capabilities/resources/${key}`;
    if (value === undefined) continue;
    if (typeof value !== "number") reportType(context, pointer, "a whole number", value);
    else if (!Number.isSafeInteger(value) || value < 1) {
      context.report("MANIFEST_LIMIT", pointer, {
        expected: `a whole number from 1 to ${Number.MAX_SAFE_INTEGER}`,
        received: value,
      });
    }
  }
};

interface TextCheck {
  readonly code: "MANIFEST_HOST" | "MANIFEST_PATH" | "MANIFEST_VALUE";
  readonly expected: string;
  readonly isValid: (text: string) => boolean;
}

function checkTexts(context: RuleContext, pointer: string, max: number, check: TextCheck): void {
  for (const [index, entry] of (listAt(context, pointer, max) ?? []).entries()) {
    const place = childPointer(pointer, index);
    if (typeof entry !== "string") reportType(context, place, "text", entry);
    else if (!check.isValid(entry)) {
      context.report(check.code, place, { expected: check.expected, received: entry });
    }
  }
}

/** An exact host name, or `*.` and one. The star stands only for whole labels on the left. */
function isHostPattern(pattern: string): boolean {
  const host = pattern.startsWith("*.") ? pattern.slice(2) : pattern;
  return host.length <= MAX_HOST_CHARACTERS && host.split(".").every((label) => LABEL.test(label));
}
