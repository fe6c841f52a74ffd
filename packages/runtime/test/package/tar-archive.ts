/**
 * @module Archives written by hand, so that a test can say what is wrong with one: any type, any
 * name, any number, with a checksum that fits unless it is the point.
 */
import { gzipSync } from "node:zlib";

const BLOCK_BYTES = 512;

/** One entry; what is left out is as `tar` would write a regular file. */
export interface TarEntry {
  readonly name: string;
  readonly body?: string | Uint8Array;
  /** The type flag. Default: `0`, a regular file. */
  readonly type?: string;
  /** What the header claims. Default: the body's length. */
  readonly size?: number | string;
  readonly linkName?: string;
  readonly prefix?: string;
  readonly magic?: string;
  /** Default: the right one. */
  readonly checksum?: number;
}

/** Writes entries and the two blocks of zeros at the end. */
export function tar(entries: readonly TarEntry[], end: Uint8Array = new Uint8Array(1_024)): Buffer {
  return Buffer.concat([...entries.map(writeEntry), end]);
}

/** The same, gzipped. */
export function tgz(entries: readonly TarEntry[]): Buffer {
  return gzipSync(tar(entries));
}

/** A pax header for the entry that follows. */
export function pax(records: Readonly<Record<string, string>>): TarEntry {
  const body = Object.entries(records)
    .map(([key, value]) => record(`${key}=${value}\n`))
    .join("");
  return { name: "PaxHeader", type: "x", body };
}

function record(text: string): string {
  const rest = Buffer.byteLength(text) + 1;
  let length = rest + String(rest).length;
  if (String(length).length + rest !== length) length += 1;
  return `${length} ${text}`;
}

function writeEntry(entry: TarEntry): Buffer {
  const body = Buffer.from(entry.body ?? "");
  const { type = "0", size = body.length, linkName = "", prefix = "", magic = "ustar\0" } = entry;
  const header = Buffer.alloc(BLOCK_BYTES);
  header.write(entry.name, 0, 100);
  header.write("0000644\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  header.write(
    typeof size === "string" ? size : `${size.toString(8).padStart(11, "0")}\0`,
    124,
    12,
  );
  header.write("00000000000\0", 136);
  header.write("        ", 148);
  header.write(type, 156, 1);
  header.write(linkName, 157, 100);
  header.write(`${magic}00`, 257);
  header.write(prefix, 345, 155);
  const sum = entry.checksum ?? header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  const padding = Buffer.alloc((BLOCK_BYTES - (body.length % BLOCK_BYTES)) % BLOCK_BYTES);
  return Buffer.concat([header, body, padding]);
}
