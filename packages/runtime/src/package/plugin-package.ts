/**
 * @module A plugin package once it was read: path → bytes with digests. Everything after this point
 * (parsing, signature, engine, runner) sees only these bytes, so that what is checked is what runs,
 * whatever happens to the files meanwhile (threat: package-toctou, CWE-367).
 */
import { setImmediate as nextTurn } from "node:timers/promises";

import { allow, type Decision, refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";
import { type Sha256, sha256InTurns } from "@glovebox/core/ids";

import { MAX_PACKAGE_FILES, MAX_PACKAGE_PATH_BYTES, PACKAGE_TURN_BYTES } from "../limits.ts";

/** A package in memory; nobody may change its bytes. */
export interface PluginPackage {
  /** Relative path with forward slashes → the file's bytes. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Path → SHA-256 of the bytes. */
  readonly digests: ReadonlyMap<string, Sha256>;
}

/** What a package may be at most. */
export interface PackageLimits {
  /** Bytes of all files together. */
  readonly maxBytes: number;
}

const RULE = "package.entries";
// Control characters, separators of other systems, what Windows reads as a drive or a stream, and
// the mark that stands for bytes which are not UTF-8.
// oxlint-disable-next-line no-control-regex -- these are the characters to be refused
const UNSAFE_IN_PATH = /[\u0000-\u001f\u007f-\u009f\\:\ufffd]/;

/** Whether the path may stand in a package; it is attacker-controlled. */
export function checkPackagePath(path: string): Decision<string> {
  const segments = path.split("/");
  if (Buffer.byteLength(path) > MAX_PACKAGE_PATH_BYTES) {
    return entryRefusal(`a path has at most ${MAX_PACKAGE_PATH_BYTES} bytes`, path);
  }
  if (UNSAFE_IN_PATH.test(path) || segments.some((segment) => /^\.{0,2}$/.test(segment))) {
    return entryRefusal("a path is relative, in normal form and of plain characters", path);
  }
  return allow(RULE, path);
}

/** Refuses an entry, quoting its name. */
export function entryRefusal(problem: string, path: string): Decision<never> {
  return refuse("RUNTIME_PACKAGE_ENTRY", RULE, `${problem}; received ${received(path)}`);
}

/** Refuses a package that is too large in one way or another. */
export function sizeRefusal(problem: string): Decision<never> {
  return refuse("RUNTIME_PACKAGE_SIZE", "package.size", problem);
}

/** Collects files within the limits; the bytes given to it are owned by it. */
export interface PackageBuilder {
  /** Bytes that may still be added. */
  readonly remainingBytes: number;
  /** Refuses a bad path, a name twice, and what goes beyond the limits. */
  add(path: string, bytes: Uint8Array): Decision<void>;
  /** Digests what was added; nothing may be added afterwards. */
  build(): Promise<PluginPackage>;
}

/** Makes an empty builder. */
export function createPackageBuilder(limits: PackageLimits): PackageBuilder {
  const files = new Map<string, Uint8Array>();
  let remainingBytes = limits.maxBytes;
  return {
    get remainingBytes() {
      return remainingBytes;
    },
    add(path, bytes) {
      const checked = checkPackagePath(path);
      if (!checked.allowed) return checked;
      if (files.has(path)) return entryRefusal("a path stands in a package once", path);
      if (files.size >= MAX_PACKAGE_FILES) {
        return sizeRefusal(`a package has at most ${MAX_PACKAGE_FILES} files`);
      }
      if (bytes.length > remainingBytes) {
        return sizeRefusal(`the files of a package have at most ${limits.maxBytes} bytes`);
      }
      remainingBytes -= bytes.length;
      files.set(path, bytes);
      return allow(RULE, undefined);
    },
    async build() {
      const digests = new Map<string, Sha256>();
      let bytesOfTurn = 0;
      for (const [path, bytes] of files) {
        bytesOfTurn += bytes.length;
        // Many files that each fit into a turn are large together.
        if (bytesOfTurn > PACKAGE_TURN_BYTES) {
          await nextTurn();
          bytesOfTurn = bytes.length;
        }
        digests.set(path, await sha256InTurns(bytes));
      }
      return Object.freeze({ files, digests });
    },
  };
}

/** A package of the caller's bytes, which are copied: the caller may go on changing its own. */
export async function copyPackage(
  source: ReadonlyMap<string, Uint8Array>,
  limits: PackageLimits,
): Promise<Decision<PluginPackage>> {
  const builder = createPackageBuilder(limits);
  for (const [path, bytes] of source) {
    if (bytes.length > builder.remainingBytes) {
      return sizeRefusal(`the files of a package have at most ${limits.maxBytes} bytes`);
    }
    // Not slice(): of a Buffer that is a view, which the caller could go on changing.
    const added = builder.add(path, new Uint8Array(bytes));
    if (!added.allowed) return added;
  }
  return allow(RULE, await builder.build());
}
