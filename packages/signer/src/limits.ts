/** @module Every bound of this package, with its unit and the reason for the number. */

/** Files per package: an order of magnitude above the largest plugin we know of. */
export const MAX_FILES = 1_024;

/** UTF-8 bytes of a path: two components of the longest length that file systems keep (255). */
export const MAX_PATH_BYTES = 512;

/**
 * Bytes of a signature file: {@link MAX_FILES} subjects with paths of {@link MAX_PATH_BYTES}, a
 * digest and JSON around them (about 650 bytes each), in base64, with room to spare.
 */
export const MAX_SIGNATURE_BYTES = 2_097_152;

/** Signatures in one envelope; as many as a C2SP signed note must be read with. */
export const MAX_SIGNATURES = 16;

/** Nesting of the JSON: envelope and statement need 4. */
export const MAX_JSON_DEPTH = 8;

/** Object members in one JSON text: three per subject, and the few around them. */
export const MAX_JSON_KEYS: number = 3 * MAX_FILES + 64;

/** Characters of a version; npm's own limit for versions is 256. */
export const MAX_VERSION_CHARACTERS = 256;
