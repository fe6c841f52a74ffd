/**
 * @module Whole files in the first folder of the plugin's grant, over WASI preview 1. Names are
 * relative to the folder; the host refuses what leads out of it.
 */
import { encodeText } from "./block";
import { failed } from "./failure";
import { fdClose, fdRead, fdWrite, pathOpen } from "./wasi";

/** Where the granted folders begin: after standard input, output and error. */
const FIRST_FOLDER = 3;
const READ: u64 = 1 << 1;
const WRITE: u64 = 1 << 6;
const CREATE = 1;
const TRUNCATE = 8;
/** A range (address and length), how much was moved, and the descriptor that was opened. */
const scratch = memory.data(16);

/** The content, or `null` where there is no such file, or it is larger than `maxBytes`. */
export function readFile(name: string, maxBytes: i32): Uint8Array | null {
  const descriptor = open(name, 0, READ);
  if (descriptor < 0) return null;
  // One byte more than is taken shows that there is more.
  const bytes = new Uint8Array(maxBytes + 1);
  let size = 0;
  while (size <= maxBytes) {
    const moved = move(descriptor, bytes.dataStart + size, bytes.length - size, false);
    if (moved <= 0) break;
    size += moved;
  }
  fdClose(descriptor);
  return size > maxBytes ? null : bytes.slice(0, size);
}

/** Writes a file from its beginning; `false` when it could not be. After a failure nothing is written. */
export function writeFile(name: string, bytes: Uint8Array): bool {
  if (failed()) return false;
  const descriptor = open(name, CREATE | TRUNCATE, WRITE);
  if (descriptor < 0) return false;
  let at = 0;
  while (at < bytes.length) {
    const moved = move(descriptor, bytes.dataStart + at, bytes.length - at, true);
    if (moved <= 0) break;
    at += moved;
  }
  return fdClose(descriptor) == 0 && at == bytes.length;
}

function open(name: string, openFlags: i32, rights: u64): i32 {
  const path = encodeText(name);
  const dataStart = path.dataStart;
  const length = path.length;
  const error = pathOpen(FIRST_FOLDER, 0, dataStart, length, openFlags, rights, 0, 0, scratch + 12);
  return error == 0 ? load<i32>(scratch + 12) : -1;
}

/** Moves bytes; answers how many, or −1. */
function move(descriptor: i32, at: usize, length: i32, writes: bool): i32 {
  store<usize>(scratch, at);
  store<i32>(scratch + 4, length);
  const error = writes
    ? fdWrite(descriptor, scratch, 1, scratch + 8)
    : fdRead(descriptor, scratch, 1, scratch + 8);
  return error == 0 ? load<i32>(scratch + 8) : -1;
}
