/**
 * @module The one normal form of a path, for the package (relative) and for the guest (absolute).
 * Only one spelling of each path is accepted, so that nothing downstream has to normalise and two
 * checks can never read one path differently (CWE-22, CWE-41).
 */
import { MAX_PATH_CHARACTERS, MAX_PATH_SEGMENT_CHARACTERS } from "../limits.ts";
import { MISLEADING_CHARACTERS } from "./misleading-characters.ts";

/** Expectation of {@link isPackagePath}, for messages. */
export const PACKAGE_PATH_SHAPE =
  "a relative path with single forward slashes, without . or .. parts, backslashes or colons";
/** Expectation of {@link isGuestPath}, for messages. */
export const GUEST_PATH_SHAPE =
  "an absolute path with single forward slashes, without . or .. parts, backslashes or a slash at the end";

/** Whether a path names a file of the package in normal form. */
export function isPackagePath(path: string): boolean {
  // A colon makes C:x a drive and a:b an alternate data stream on Windows.
  return !path.includes(":") && areSegments(path);
}

/** Whether a path is absolute in the guest and in normal form; `/` itself is. */
export function isGuestPath(path: string): boolean {
  return path === "/" || (path.startsWith("/") && areSegments(path.slice(1)));
}

function areSegments(path: string): boolean {
  if (path.length > MAX_PATH_CHARACTERS || MISLEADING_CHARACTERS.test(path)) return false;
  // Two normal forms of one name are two names on one file system and one on another.
  if (path.includes("\\") || path !== path.normalize("NFC")) return false;
  return path
    .split("/")
    .every(
      (part) =>
        part !== "" && part !== "." && part !== ".." && part.length <= MAX_PATH_SEGMENT_CHARACTERS,
    );
}
