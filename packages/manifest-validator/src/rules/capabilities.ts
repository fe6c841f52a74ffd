/**
 * @module What the plugin asks for. Only the shape is checked: whether it is granted is decided by
 * the host's policy, in the capability broker.
 */
import type { FileRight } from "@glovebox/core/ports";

import { MAX_ALLOWED_PATHS } from "../limits.ts";
import { checkBoolean, checkTexts, checkWholeNumbers, type Rule } from "../rule.ts";
import { GUEST_PATH_SHAPE, isGuestPath } from "./path-shape.ts";

/** Rights of the file port; what they open is the broker's to say. */
const FILE_RIGHTS = [
  ...(["read", "write", "create", "append", "truncate", "setTimes"] as const),
  ...(["list", "stat", "delete", "rename", "mkdir", "link"] as const),
] satisfies readonly FileRight[];

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
  const keys = ["max_memory_bytes", "max_cpu_time_ms", "max_instructions"];
  checkWholeNumbers(context, "/capabilities/resources", keys, 1);
};
