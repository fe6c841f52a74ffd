/**
 * @module Signed notes (C2SP signed-note): a text, an empty line, and signature lines of the form
 * `— <key name> base64(key id || signature)`. The text may hold empty lines, so that it ends at the
 * last one.
 */
import { isUtf8 } from "node:buffer";

import { allow, type Decision, type Refusal, refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";

import { MAX_NOTE_BYTES, MAX_SIGNATURES } from "../limits.ts";
import { decodeBase64 } from "./base64.ts";

/** One signature line. */
export interface NoteSignature {
  readonly name: string;
  /** Four bytes, big-endian. */
  readonly keyId: number;
  /** Without the key id; what it holds depends on the key's type. */
  readonly bytes: Buffer;
}

/** A note that has the right form; nothing is said of its signatures. */
export interface Note {
  /** With its final line feed. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

const SIGNATURE_LINE = /^— (\S+) (\S+)$/u;
// oxlint-disable-next-line no-control-regex -- signed-note forbids exactly these
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/;
/** Unicode spaces and plus: signed-note allows neither in a key's name. */
const FORBIDDEN_IN_NAME = /[\p{White_Space}+]/u;

/** Whether signed-note allows the name for a key. */
export function isKeyName(name: string): boolean {
  return name !== "" && name.isWellFormed() && !FORBIDDEN_IN_NAME.test(name) && !CONTROL.test(name);
}

/** Reads a note; the bytes are attacker-controlled. */
export function parseNote(raw: Uint8Array | string): Decision<Note> {
  const bytes = typeof raw === "string" ? Buffer.from(raw) : raw;
  if (bytes.length > MAX_NOTE_BYTES)
    return malformed(`it has ${bytes.length} bytes; at most ${MAX_NOTE_BYTES}`);
  if (!isUtf8(bytes)) return malformed("it is not UTF-8");
  // latin1 or a decoder that drops a byte order mark would verify another text than was signed.
  const note = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
  if (typeof raw === "string" && note !== raw) return malformed("it is not well-formed Unicode");
  if (CONTROL.test(note)) return malformed("it holds a control character");
  const end = note.lastIndexOf("\n\n");
  if (end < 1 || !note.endsWith("\n"))
    return malformed("a text, an empty line and signature lines are expected");
  const text = note.slice(0, end + 1);
  const lines = note.slice(end + 2, -1).split("\n");
  if (lines.length > MAX_SIGNATURES)
    return malformed(`it has ${lines.length} signatures; at most ${MAX_SIGNATURES}`);
  const signatures: NoteSignature[] = [];
  for (const line of lines) {
    const signature = parseSignatureLine(line);
    if (signature === undefined) return malformed(`no signature line: ${received(line)}`);
    signatures.push(signature);
  }
  return allow("tlog.note", Object.freeze({ text, signatures: Object.freeze(signatures) }));
}

/** Reads a signature line without its line feed. */
export function parseSignatureLine(line: string): NoteSignature | undefined {
  const [, name = "", base64 = ""] = SIGNATURE_LINE.exec(line) ?? [];
  const blob = decodeBase64(base64);
  if (!isKeyName(name) || blob === undefined || blob.length < 5) return undefined;
  return Object.freeze({ name, keyId: blob.readUInt32BE(0), bytes: blob.subarray(4) });
}

/** Writes a signature line with its line feed. */
export function formatSignatureLine({ name, keyId, bytes }: NoteSignature): string {
  const blob = Buffer.alloc(4 + bytes.length);
  blob.writeUInt32BE(keyId, 0);
  blob.set(bytes, 4);
  return `— ${name} ${blob.toString("base64")}\n`;
}

function malformed(problem: string): Refusal {
  return refuse("TLOG_NOTE", "tlog.note", `not a signed note: ${problem}`);
}
