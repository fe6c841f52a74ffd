/**
 * @module Reads a `.tgz` in memory: ustar (POSIX.1-1988) with pax headers (POSIX.1-2001, `path` and
 * `size` only). Every number in an archive is attacker-controlled: the decompressed size is bounded
 * before a byte is read, offsets are checked against what is there, and whatever two readers could
 * understand differently (a second entry of one name, an unknown type, data after the end) is
 * refused. Nothing is ever written to a disk (CWE-22, CWE-409, CWE-436).
 */
import { promisify } from "node:util";
import { gunzip } from "node:zlib";

import { allow, type Decision, refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";

import { MAX_PACKAGE_FILES, MAX_PAX_HEADER_BYTES, MAX_TAR_OVERHEAD_BYTES } from "../limits.ts";
import {
  createPackageBuilder,
  entryRefusal,
  type PackageLimits,
  type PluginPackage,
  sizeRefusal,
} from "./plugin-package.ts";

const BLOCK_BYTES = 512;
const decompress = promisify(gunzip);
const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes of a gzipped archive to a package. */
export async function readTar(
  archive: Uint8Array,
  limits: PackageLimits,
): Promise<Decision<PluginPackage>> {
  let tar: Uint8Array;
  try {
    const maxOutputLength = limits.maxBytes + MAX_TAR_OVERHEAD_BYTES;
    tar = await decompress(archive, { maxOutputLength });
  } catch (error) {
    if ((error as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE") {
      return sizeRefusal(`an archive unpacks to at most ${limits.maxBytes} bytes`);
    }
    return broken("it is not gzip data");
  }
  try {
    return await readEntries(tar, limits);
  } catch (error) {
    if (error instanceof BrokenArchive) return broken(error.message);
    throw error;
  }
}

class BrokenArchive extends Error {}

async function readEntries(
  tar: Uint8Array,
  limits: PackageLimits,
): Promise<Decision<PluginPackage>> {
  const builder = createPackageBuilder(limits);
  let at = 0;
  let extended: PaxHeader = {};
  for (let entries = 0; ;) {
    const block = slice(tar, at, BLOCK_BYTES);
    at += BLOCK_BYTES;
    if (isZero(block)) {
      if (!isZero(tar.subarray(at))) return broken("data follows its end");
      return allow("package.archive", await builder.build());
    }
    const header = readHeader(block);
    const size = extended.size ?? header.size;
    const isPax = header.type === "x";
    if (isPax && header.size > MAX_PAX_HEADER_BYTES) return broken("a pax header is too long");
    const body = slice(tar, at, size);
    at += Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
    if (isPax) {
      if (Object.keys(extended).length > 0) return broken("two pax headers for one entry");
      extended = readPaxHeader(body);
      continue;
    }
    entries += 1;
    if (entries > MAX_PACKAGE_FILES) return sizeRefusal(`more than ${MAX_PACKAGE_FILES} entries`);
    const path = (extended.path ?? header.path).replace(/^(?:\.\/)+/, "");
    extended = {};
    if (header.type === "directory" && size === 0) continue;
    if (header.type !== "file") {
      return entryRefusal(`an entry of type ${header.type} is no regular file`, path);
    }
    const added = builder.add(path, new Uint8Array(body));
    if (!added.allowed) return added;
  }
}

interface Header {
  readonly path: string;
  readonly size: number;
  /** `file`, `directory`, `x` (pax header), or a name for what is refused. */
  readonly type: string;
}

const TYPES: Readonly<Record<string, string>> = {
  "\0": "file",
  "0": "file",
  "1": "hard link",
  "2": "symbolic link",
  "3": "character device",
  "4": "block device",
  "5": "directory",
  "6": "FIFO",
  x: "x",
};

function readHeader(block: Uint8Array): Header {
  const sum = block.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
  if (octal(block, 148, 8) !== sum) throw new BrokenArchive("a header's checksum is wrong");
  if (!text(block, 257, 6).startsWith("ustar")) throw new BrokenArchive("a header is not ustar");
  const flag = String.fromCharCode(block[156] ?? 0);
  // GNU tar writes "ustar " with two spaces and puts other fields where ustar has the prefix.
  const prefix = text(block, 257, 8) === "ustar" ? text(block, 345, 155) : "";
  const name = text(block, 0, 100);
  const type = TYPES[flag] ?? JSON.stringify(flag);
  return {
    path: prefix === "" ? name : `${prefix}/${name}`,
    size: octal(block, 124, 12),
    type: type === "file" && name.endsWith("/") ? "directory" : type,
  };
}

interface PaxHeader {
  readonly path?: string;
  readonly size?: number;
}

/** Records `LENGTH KEY=VALUE\n`; the length counts itself. */
function readPaxHeader(body: Uint8Array): PaxHeader {
  const found: { path?: string; size?: number } = {};
  let at = 0;
  while (at < body.length) {
    const space = body.indexOf(0x20, at);
    const digits = space < 0 ? "" : text(body, at, space - at);
    const length = /^[1-9]\d{0,5}$/.test(digits) ? Number(digits) : 0;
    if (length === 0 || at + length > body.length || body[at + length - 1] !== 0x0a) {
      throw new BrokenArchive("a pax record's length is wrong");
    }
    const record = decode(body.subarray(space + 1, at + length - 1));
    const [, key = "", value = ""] = /^([^=]+)=(.*)$/s.exec(record) ?? [];
    if (key === "path" && found.path === undefined) found.path = value;
    else if (key === "size" && /^\d{1,15}$/.test(value)) found.size = Number(value);
    else if (key === "path" || key === "size" || key === "linkpath" || key.startsWith("GNU.")) {
      throw new BrokenArchive(`a pax record ${received(key)} is not one that a package may have`);
    }
    at += length;
  }
  return found;
}

function slice(tar: Uint8Array, at: number, size: number): Uint8Array {
  if (at + size > tar.length) throw new BrokenArchive("it ends too early");
  return tar.subarray(at, at + size);
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

/** A field's text up to its first NUL. */
function text(bytes: Uint8Array, at: number, length: number): string {
  const field = bytes.subarray(at, at + length);
  const end = field.indexOf(0);
  return decode(end < 0 ? field : field.subarray(0, end));
}

function decode(bytes: Uint8Array): string {
  try {
    return strictDecoder.decode(bytes);
  } catch {
    throw new BrokenArchive("a name is not UTF-8");
  }
}

function octal(block: Uint8Array, at: number, length: number): number {
  const digits = text(block, at, length).trim();
  if (!/^[0-7]{1,11}$/.test(digits)) throw new BrokenArchive("a number in a header is malformed");
  return Number.parseInt(digits, 8);
}

function broken(problem: string): Decision<never> {
  return refuse("RUNTIME_PACKAGE_ARCHIVE", "package.archive", `the archive is broken: ${problem}`);
}
