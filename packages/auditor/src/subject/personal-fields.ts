/**
 * @module Personal fields of an event: encrypted with AES-256-GCM (NIST SP 800-38D) under the key of
 * the person, and committed to one by one with a salt that lies inside of the ciphertext, so that one
 * field can be shown to somebody without the others, and all of it ends with the key. The bare hash
 * of a name or an address is no commitment: it is found by trying (research: low entropy).
 *
 * A person's id is the same in all of that person's events, which the pseudonym shows anyway, so that
 * an event with no other personal field repeats one ciphertext instead of making another.
 */
import { createCipheriv, createDecipheriv, hash, randomFillSync } from "node:crypto";

import { allow, type Decision, refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";

import { type LoggedEvent, PERSONAL_NAME } from "../event/event-members.ts";
import { Malformed } from "../event/write-event.ts";
import { MAX_PERSONAL_FIELDS } from "../limits.ts";
import type { SubjectKey } from "./subject-keys.ts";

/** The two members that stand for personal fields in an event, as canonical JSON. */
export interface SealedFields {
  readonly encJson: string;
  readonly piiJson: string;
}

const CIPHER = "aes-256-gcm";
const IV_BYTES = 12;
const TAG = { authTagLength: 16 };
const COMMITMENT_DOMAIN = "glovebox audit personal field, format 1";
const RULE = "audit.personal";

/**
 * Encrypts `userId` and what else is personal. Nonces are random, of 96 bits: one key is good for
 * 2^32 events (SP 800-38D section 8.3).
 *
 * @throws {@link Malformed} for names or values that cannot be kept
 */
export function sealFields(
  { subject, key }: Pick<SubjectKey, "subject" | "key">,
  userId: string,
  personal: Readonly<Record<string, string>> = {},
): SealedFields {
  const names = namesOf(personal);
  let plain = "";
  let pii = "";
  for (const name of names) {
    const value = name === "userId" ? userId : (personal[name] ?? "");
    if (typeof value !== "string" || !value.isWellFormed()) {
      throw new Malformed(`${name} is well-formed text`);
    }
    const salt = randomText();
    plain += `${plain === "" ? "{" : ","}"${name}":["${salt}",${JSON.stringify(value)}]`;
    pii += `${pii === "" ? "{" : ","}"${name}":"${commit(salt, name, value)}"`;
  }
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, key, iv, TAG);
  cipher.setAAD(aad(subject));
  // Counter mode: all of the text comes at once, and nothing is left for `final`.
  const ct = cipher.update(`${plain}}`, "utf8").toString("base64");
  cipher.final();
  const tag = cipher.getAuthTag().toString("base64");
  return {
    encJson: `{"ct":"${ct}","iv":"${iv.toString("base64")}","tag":"${tag}"}`,
    piiJson: `${pii}}`,
  };
}

/** Decrypts the personal fields of an event, and checks each against its commitment. */
export function openFields(
  { subject, key }: Pick<SubjectKey, "subject" | "key">,
  event: Pick<LoggedEvent, "subject" | "enc" | "pii">,
): Decision<ReadonlyMap<string, string>> {
  const { enc, pii = {} } = event;
  if (enc === undefined || event.subject !== subject) return unreadable("it is not that person's");
  const fields = new Map<string, string>();
  try {
    const decipher = createDecipheriv(CIPHER, key, Buffer.from(enc["iv"] ?? "", "base64"), TAG);
    decipher.setAAD(aad(subject));
    decipher.setAuthTag(Buffer.from(enc["tag"] ?? "", "base64"));
    const text = decipher.update(enc["ct"] ?? "", "base64", "utf8") + decipher.final("utf8");
    for (const [name, field] of Object.entries(JSON.parse(text) as Record<string, unknown>)) {
      const [salt, value] = Array.isArray(field) ? (field as unknown[]) : [];
      if (typeof salt !== "string" || typeof value !== "string") return unreadable("a field");
      if (!Object.hasOwn(pii, name) || pii[name] !== commit(salt, name, value)) {
        return unreadable(`the commitment to ${received(name)} is to another value`);
      }
      fields.set(name, value);
    }
  } catch (error) {
    return unreadable(String(error));
  }
  return allow(RULE, fields);
}

/** Sorted as RFC 8785 wants; `userId` is always among them. */
function namesOf(personal: Readonly<Record<string, string>>): readonly string[] {
  if (typeof personal !== "object" || personal === null)
    throw new Malformed("personal is an object");
  const names = Object.keys(personal);
  if (names.length === 0) return ["userId"];
  if (names.length > MAX_PERSONAL_FIELDS) {
    throw new Malformed(`personal has at most ${MAX_PERSONAL_FIELDS} members`);
  }
  for (const name of names) {
    if (!PERSONAL_NAME.test(name) || name === "userId") {
      throw new Malformed(`personal has no member ${received(name)}`);
    }
  }
  return [...names, "userId"].sort();
}

/**
 * SHA-256 over a salt of fixed length and the value: hiding while the salt is secret, binding always.
 * No name holds a line feed, so that no two inputs are the same text.
 */
function commit(salt: string, name: string, value: string): string {
  return hash("sha256", `${salt}\n${COMMITMENT_DOMAIN}\n${name}\n${value}`, "base64url");
}

/** Binds a ciphertext to the person, not to the event: the log itself does that. */
function aad(subject: string): Buffer {
  return Buffer.from(`${COMMITMENT_DOMAIN}\n${subject}`, "latin1");
}

function unreadable(problem: string): Decision<never> {
  return refuse("AUDITOR_PERSONAL_FIELDS", RULE, `personal fields cannot be read: ${problem}`);
}

/** Asking for random bytes one by one costs a microsecond each; 256 salts at a time cost nothing. */
const pool = Buffer.alloc(8_192);
let poolOffset = pool.length;

function randomBytes(length: number): Buffer {
  if (poolOffset + length > pool.length) {
    randomFillSync(pool);
    poolOffset = 0;
  }
  const bytes = Buffer.from(pool.subarray(poolOffset, poolOffset + length));
  // Used bytes must not be found in memory, nor ever be used again.
  pool.fill(0, poolOffset, poolOffset + length);
  poolOffset += length;
  return bytes;
}

/** 256 bits as 43 characters. */
function randomText(): string {
  return randomBytes(32).toString("base64url");
}
