/** @module The door @glovebox/tlog/note. C2SP signed-note and the keys of tlog-cosignature. */
export { isKeyName, parseNote, parseSignatureLine } from "./note.ts";
export type { Note, NoteSignature } from "./note.ts";
export { openNote, signNote } from "./open-note.ts";
export type { OpenedNote, VerifiedSignature } from "./open-note.ts";
export { createNoteSigner } from "./signer.ts";
export type { NoteSigner, NoteSignerOptions } from "./signer.ts";
export { parseVerifierKey } from "./verifier-key.ts";
export type { KeyType } from "./key-type.ts";
export type { VerifierKey } from "./verifier-key.ts";
