/**
 * @module The parts of a root's policy that speak of the host's files: where it lies and which names
 * of regular files it serves. Patterns come from the policy, names from a plugin.
 */
import { posix } from "node:path";

import { Minimatch } from "minimatch";

import { MAX_NAME_PATTERN_STARS, MAX_PATTERNS } from "../limits.ts";
import { extensionOf } from "../target/guest-path.ts";
import type { FolderGrant } from "./grant.ts";
import { type RootPolicy, policyError } from "./policy.ts";

/**
 * A root's host directory.
 *
 * @throws {@link BrokerError} (`BROKER_POLICY`)
 */
export function policyHost(host: RootPolicy["host"]): FolderGrant["host"] {
  if (typeof host === "object" && host.temporary) return { temporary: true };
  if (
    typeof host !== "string" ||
    !host.startsWith("/") ||
    host.includes("\0") ||
    /^\/(?:proc|dev|sys)(?:\/|$)/.test(posix.resolve(host))
  ) {
    throw policyError(
      "filesystem.roots.host",
      `${JSON.stringify(host)} is not an absolute directory outside /proc, /dev and /sys`,
    );
  }
  return posix.resolve(host);
}

/**
 * Extensions and name patterns, lower case.
 *
 * @throws {@link BrokerError} (`BROKER_POLICY`)
 */
export function policyNames(
  field: string,
  names: readonly string[] | "*" = "*",
): readonly string[] | "*" {
  if (names === "*") return names;
  if (names.length > MAX_PATTERNS) throw policyError(field, `at most ${MAX_PATTERNS}`);
  return names.map((name) => {
    // Each star multiplies the work for a name, which a plugin chooses.
    const stars = name.split("*").length - 1;
    const isOne = isExtension(name) || /[*?[]/.test(name);
    if (!isOne || /[/\\]/.test(name) || stars > MAX_NAME_PATTERN_STARS) {
      throw policyError(
        field,
        "expected extensions such as .json, or name patterns with few stars and no slash",
      );
    }
    return name.toLowerCase();
  });
}

/** Whether regular files of this name are granted. */
export function isNameGranted(folder: Pick<FolderGrant, "extensions">, name: string): boolean {
  if (folder.extensions === "*") return true;
  const lower = name.toLowerCase();
  const extension = extensionOf(name);
  return folder.extensions.some((entry) =>
    isExtension(entry) ? entry === extension : patternOf(entry).match(lower),
  );
}

function isExtension(entry: string): boolean {
  return /^\.[^.*?[\]]+$/.test(entry);
}

const patterns = new Map<string, Minimatch>();

/** Compiled once; policies hold few patterns, and the map no more than one policy's worth. */
function patternOf(entry: string): Minimatch {
  let pattern = patterns.get(entry);
  if (pattern === undefined) {
    if (patterns.size >= MAX_PATTERNS) patterns.clear();
    // No braces, no extended globs, no negation, no comments: what looks special is not.
    pattern = new Minimatch(entry, {
      dot: true,
      nobrace: true,
      noext: true,
      nonegate: true,
      nocomment: true,
      platform: "linux",
    });
    patterns.set(entry, pattern);
  }
  return pattern;
}
