/**
 * @module Opening a note with the keys that are trusted. Signatures of unknown keys are ignored; one
 * of a known key that does not fit makes the whole note worthless, for it was forged or changed.
 */
import { allow, type Decision, type Refusal, refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";

import { KEY_TYPES, verifies } from "./key-type.ts";
import { formatSignatureLine, type Note, type NoteSignature, parseNote } from "./note.ts";
import type { NoteSigner } from "./signer.ts";
import type { VerifierKey } from "./verifier-key.ts";

/** A trusted key's signature that fits. */
export interface VerifiedSignature {
  readonly key: VerifierKey;
  /** Seconds since 1970 that a cosignature states; `undefined` of a log's own signature. */
  readonly timestamp: bigint | undefined;
}

/** A note that at least one trusted key signed. */
export interface OpenedNote {
  readonly text: string;
  /** One for each key, however often it signed. */
  readonly verified: readonly VerifiedSignature[];
  /** Of unknown keys. */
  readonly ignored: readonly NoteSignature[];
}

/** The largest timestamp that tlog-cosignature allows. */
const MAX_TIMESTAMP = (1n << 63n) - 1n;
const TIMESTAMP_BYTES = 8;

/** Opens a note; refuses with `TLOG_NOTE` or `TLOG_SIGNATURE`. */
export function openNote(
  raw: Uint8Array | string | Note,
  keys: readonly VerifierKey[],
): Decision<OpenedNote> {
  const parsed =
    typeof raw === "string" || raw instanceof Uint8Array ? parseNote(raw) : allow("tlog.note", raw);
  if (!parsed.allowed) return parsed;
  const { text, signatures } = parsed.value;
  const verified = new Map<VerifierKey, VerifiedSignature>();
  const ignored: NoteSignature[] = [];
  for (const signature of signatures) {
    const key = keys.find(
      ({ name, keyId }) => name === signature.name && keyId === signature.keyId,
    );
    if (key === undefined) {
      ignored.push(signature);
      continue;
    }
    const opened = verifySignature(key, text, signature);
    if (opened === undefined)
      return untrusted(`the signature of ${received(key.name)} does not fit`);
    if (!verified.has(key)) verified.set(key, opened);
  }
  if (verified.size === 0) return untrusted("no trusted key signed it");
  return allow("tlog.signature", { text, verified: [...verified.values()], ignored });
}

/** Signs a text; one line per signer. */
export async function signNote(text: string, signers: readonly NoteSigner[]): Promise<string> {
  let note = `${text}\n`;
  for (const signer of signers) {
    const bytes = Buffer.from(await signer.sign(text));
    note += formatSignatureLine({ name: signer.name, keyId: signer.keyId, bytes });
  }
  return note;
}

function verifySignature(
  key: VerifierKey,
  text: string,
  { bytes }: NoteSignature,
): VerifiedSignature | undefined {
  const { isTimestamped, message } = KEY_TYPES[key.type];
  if (isTimestamped && bytes.length < TIMESTAMP_BYTES) return undefined;
  const timestamp = isTimestamped ? bytes.readBigUInt64BE(0) : 0n;
  // tlog-witness: a cosignature of a whole tree states a time.
  if (isTimestamped && (timestamp === 0n || timestamp > MAX_TIMESTAMP)) return undefined;
  const signed = message(key.name, text, timestamp);
  if (signed === undefined) return undefined;
  const signature = isTimestamped ? bytes.subarray(TIMESTAMP_BYTES) : bytes;
  if (!verifies(key.type, key.publicKey, signed, signature)) return undefined;
  return { key, timestamp: isTimestamped ? timestamp : undefined };
}

function untrusted(problem: string): Refusal {
  return refuse("TLOG_SIGNATURE", "tlog.signature", `the note is not to be trusted: ${problem}`);
}
