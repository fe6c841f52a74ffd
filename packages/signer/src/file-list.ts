/**
 * @module The closed list of files: every file of a package but the signature itself, by path and
 * SHA-256, sorted. Closed means that a file which is not on it is refused, so that nothing can be
 * smuggled in beside what was signed. Paths are attacker-controlled; a path that two systems might
 * read differently is refused instead of normalised (CWE-22, CWE-178, CWE-180).
 */
import { hash } from "node:crypto";

import { allow, type Decision, refuse, type Refusal } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";
import type { Sha256 } from "@glovebox/core/ids";

import { MAX_FILES, MAX_PATH_BYTES } from "./limits.ts";

/** The file that holds a package's signature, at the package's top; it cannot list itself. */
export const SIGNATURE_FILE = "plugin.sigstore.json";

/** One entry of the closed list. */
export interface ListedFile {
  readonly path: string;
  readonly sha256: Sha256;
}

// Control characters, line and paragraph separators, bidirectional controls, the separator of other
// systems, and what Windows reads as a stream or a drive.
const UNSAFE_IN_PATH = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\\:]/u;

/** Lists what is to be signed or was found, sorted by path; the signature file is left out. What has a digest is not hashed. */
export function listFiles(
  files: ReadonlyMap<string, Uint8Array>,
  digests?: ReadonlyMap<string, Sha256>,
): Decision<readonly ListedFile[]> {
  const paths = [...files.keys()].filter((path) => path !== SIGNATURE_FILE).sort();
  const refusal = checkPaths(paths);
  if (refusal !== undefined) return refusal;
  const list: ListedFile[] = [];
  for (const path of paths) {
    const bytes = files.get(path);
    if (bytes === undefined) continue;
    list.push({ path, sha256: digests?.get(path) ?? (hash("sha256", bytes) as Sha256) });
  }
  return allow("signature.files", list);
}

/** Says what is wrong with a list of paths, be it of a package or of a signed statement. */
export function checkPaths(paths: readonly string[]): Refusal | undefined {
  if (paths.length === 0 || paths.length > MAX_FILES) {
    return refuse(
      "SIGNER_FILE_COUNT",
      "signature.files",
      `a package has 1–${MAX_FILES} files besides its signature; received ${paths.length}`,
    );
  }
  const seen = new Map<string, string>();
  for (const path of paths) {
    const problem = problemOfPath(path) ?? problemOfNeighbour(seen, path);
    if (problem !== undefined) {
      return refuse("SIGNER_PATH", "signature.paths", `${problem}; received ${received(path)}`);
    }
    seen.set(fold(path), path);
  }
  for (const path of paths) {
    const parent = parentsOf(fold(path)).find((folder) => seen.has(folder));
    if (parent !== undefined) {
      const reason = `${received(path)} lies in ${received(parent)}, which is a file`;
      return refuse("SIGNER_PATH", "signature.paths", reason);
    }
  }
  return undefined;
}

function problemOfPath(path: string): string | undefined {
  if (path === "") return "a path is not empty";
  if (!path.isWellFormed()) return "a path is well-formed Unicode";
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) return `a path has at most ${MAX_PATH_BYTES} bytes`;
  if (UNSAFE_IN_PATH.test(path)) return "a path has no \\, no : and no control characters";
  // Two spellings of one name would be two files here and one on a system that normalises.
  if (path !== path.normalize("NFC")) return "a path is in Unicode's normal form C";
  if (path.split("/").some((segment) => /^\.{0,2}$/.test(segment) || /[. ]$/.test(segment))) {
    return "a path is relative, without empty, . or .. segments or segments that end in . or space";
  }
  return fold(path) === SIGNATURE_FILE ? `${SIGNATURE_FILE} cannot be listed` : undefined;
}

function problemOfNeighbour(seen: ReadonlyMap<string, string>, path: string): string | undefined {
  const other = seen.get(fold(path));
  return other === undefined
    ? undefined
    : `paths are unique regardless of case, unlike ${received(other)}`;
}

/** One key for all spellings that a file system without case takes for the same. */
function fold(path: string): string {
  return path.toUpperCase().toLowerCase().normalize("NFC");
}

function parentsOf(path: string): readonly string[] {
  const segments = path.split("/");
  return segments.slice(1).map((_, index) => segments.slice(0, index + 1).join("/"));
}
