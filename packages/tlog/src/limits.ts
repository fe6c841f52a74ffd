/** @module Every bound of this package, with its unit and the reason for the number. */

/** Bytes of one entry: what the two bytes of its length in a bundle can say (C2SP tlog-tiles). */
export const MAX_ENTRY_BYTES = 65_535;

/** Bytes of a signed note: sixteen ML-DSA-44 signatures of 3.3 kB in base64, and room for a text. */
export const MAX_NOTE_BYTES = 262_144;

/** Signatures of one note; signed-note wants at least 16. */
export const MAX_SIGNATURES = 64;

/** Characters of a vkey: an ML-DSA-44 key of 1,312 bytes in base64 and a name. */
export const MAX_VKEY_CHARACTERS = 4_096;

/** Bytes of a key name or an origin: the length byte in ML-DSA-44 cosignatures (tlog-cosignature). */
export const MAX_NAME_BYTES = 255;

/** Hashes of a proof: one for each level of a tree of 2^63 entries (tlog-witness). */
export const MAX_PROOF_HASHES = 63;

/** Bytes of the opaque `extra` of a proof: a digest and metadata, not a payload. */
export const MAX_EXTRA_BYTES = 65_536;

/** Bytes of a policy file: its 64 logs and 64 witnesses with ML-DSA-44 keys need 230 kB. */
export const MAX_POLICY_BYTES = 524_288;

/** Logs, witnesses and groups of a policy, each; tlog-policy wants at least 32. */
export const MAX_POLICY_ITEMS = 64;
