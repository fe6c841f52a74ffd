/**
 * @module A key of a person as it lies in a file: wrapped under the store's own key (AES-256-GCM, bound
 * to its pseudonym), with the name under which the person is found.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

/** Bytes of a key. */
export const KEY_BYTES = 32;

const IV_BYTES = 12;
const TAG_BYTES = 16;
const NAME_BYTES = 32;
const MAGIC = Buffer.from("gbxkey1\n", "latin1");
/** Magic, IV, wrapped key with its tag, and the name. */
const FILE_BYTES: number = MAGIC.length + IV_BYTES + KEY_BYTES + TAG_BYTES + NAME_BYTES;

/** A key and whose it is. */
export interface NamedKey {
  readonly key: Buffer;
  /** HMAC of the person's id, base64url. */
  readonly name: string;
}

/** What a file holds for a key. */
export function wrapKey(subject: string, { key, name }: NamedKey, wrappingKey: Uint8Array): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv("aes-256-gcm", wrappingKey, iv);
  cipher.setAAD(Buffer.from(subject, "latin1"));
  const wrapped = [cipher.update(key), cipher.final(), cipher.getAuthTag()];
  return Buffer.concat([MAGIC, iv, ...wrapped, Buffer.from(name, "base64url")]);
}

/** The key in a file; `undefined` if it is not under one of the wrapping keys, or another's. */
export function unwrapKey(
  subject: string,
  bytes: Uint8Array,
  wrappingKeys: readonly Uint8Array[],
): NamedKey | undefined {
  const file = Buffer.from(bytes);
  if (file.length !== FILE_BYTES || !file.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  const ivEnd = MAGIC.length + IV_BYTES;
  const keyEnd = ivEnd + KEY_BYTES;
  for (const wrappingKey of wrappingKeys) {
    try {
      const iv = file.subarray(MAGIC.length, ivEnd);
      const decipher = createDecipheriv("aes-256-gcm", wrappingKey, iv);
      decipher.setAAD(Buffer.from(subject, "latin1"));
      decipher.setAuthTag(file.subarray(keyEnd, keyEnd + TAG_BYTES));
      const key = Buffer.concat([decipher.update(file.subarray(ivEnd, keyEnd)), decipher.final()]);
      return { key, name: nameIn(file) };
    } catch {
      // Under another of the keys, or under none.
    }
  }
  return undefined;
}

/** The name in a file, which may be anything. */
export function nameIn(bytes: Buffer): string {
  return bytes.subarray(-NAME_BYTES).toString("base64url");
}
