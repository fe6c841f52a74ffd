/**
 * @module Secrets by reference: the grant names one and where it goes, the value comes from an
 * injected resolver after every check and is set on the wire only. A server may send it back, by
 * design or in an error page; so what comes from it is searched for the value as it is, in base64
 * at any alignment, and in percent form, across chunks. A match ends the response.
 */
import { type Decision, allow, refuse } from "@glovebox/core/decision";

import type { NetworkGrant, SecretRule } from "../grant/grant.ts";
import { MAX_SECRET_BYTES, MIN_SECRET_BYTES } from "../limits.ts";
import { isWithinPrefix } from "../target/url-path.ts";
import type { ParsedTarget } from "./decide.ts";

/** The value of a secret by its name; it never leaves the broker but on the wire. */
export type ResolveSecret = (name: string) => Promise<string>;

/** A header with a secret in it, and what must not come back. */
export interface InsertedSecret {
  readonly name: string;
  readonly header: string;
  readonly value: string;
  readonly secret: string;
}

// What a header value may hold (RFC 9110 section 5.5), without obs-text: the encodings below are of ASCII.
const VALUE = /^[\u0021-\u007e](?:[\u0020-\u007e]*[\u0021-\u007e])?$/;

/** The secrets that go with a request. */
export function secretsFor(grant: NetworkGrant, target: ParsedTarget): readonly SecretRule[] {
  if (grant.secrets.length === 0) return grant.secrets;
  const origin = `${target.scheme}://${target.host.name}:${target.port}`;
  return grant.secrets.filter(
    (rule) =>
      rule.origin === origin &&
      rule.methods?.includes(target.method) !== false &&
      (rule.pathPrefix === undefined || isWithinPrefix(target.path, rule.pathPrefix)),
  );
}

/** Asks for the values. A refusal names the secret and never its value. */
export async function insertedSecrets(
  rules: readonly SecretRule[],
  resolve: ResolveSecret,
): Promise<Decision<readonly InsertedSecret[]>> {
  const inserted: InsertedSecret[] = [];
  for (const { name, header, template } of rules) {
    const refused = (why: string): Decision<never> =>
      refuse("BROKER_SECRET", "network.secrets", `the secret ${name} ${why}`);
    let secret: unknown;
    try {
      secret = await resolve(name);
    } catch {
      // The error is the resolver's and may quote what it holds.
      return refused("could not be resolved");
    }
    if (typeof secret !== "string" || !VALUE.test(secret))
      return refused("is not a text that a header can carry");
    if (secret.length < MIN_SECRET_BYTES || secret.length > MAX_SECRET_BYTES)
      return refused(`must have from ${MIN_SECRET_BYTES} to ${MAX_SECRET_BYTES} characters`);
    const value = template.split(`{{secret:${name}}}`).join(secret);
    inserted.push({ name, header, value, secret });
  }
  return allow("network.secrets", inserted);
}

/** Looks for values in a stream. */
export interface SecretSearch {
  /** What may go on, or `undefined`: a value was found. The end of a chunk may be held back. */
  push(chunk: Uint8Array): Uint8Array | undefined;
  /** What was held back. */
  end(): Uint8Array;
  /** Whether a whole text holds a value. */
  isIn(text: string): boolean;
}

/** A search for the given values; `undefined` when there are none. */
export function createSecretSearch(secrets: readonly string[]): SecretSearch | undefined {
  if (secrets.length === 0) return undefined;
  const plain = secrets.map((secret) => Buffer.from(secret, "latin1"));
  const coded = plain.flatMap(base64Forms);
  // A percent form has three characters for each; base64 has fewer.
  const holdBack = Math.max(...plain.map((secret) => secret.length)) * 3 - 1;
  let held = Buffer.alloc(0);

  function holds(bytes: Buffer): boolean {
    if (plain.some((secret) => bytes.includes(secret))) return true;
    if (coded.some((form) => bytes.includes(form))) return true;
    if (!bytes.includes(0x25)) return false;
    const decoded = percentDecoded(bytes);
    return plain.some((secret) => decoded.includes(secret));
  }

  return {
    push(chunk) {
      const bytes = Buffer.concat([held, chunk]);
      if (holds(bytes)) return undefined;
      const free = Math.max(bytes.length - holdBack, 0);
      held = bytes.subarray(free);
      return bytes.subarray(0, free);
    },
    end() {
      const rest = held;
      held = Buffer.alloc(0);
      return rest;
    },
    isIn: (text) => holds(Buffer.from(text, "latin1")),
  };
}

/**
 * What a value surely looks like inside base64 (RFC 4648 sections 4 and 5): at each of the three
 * alignments, without the characters that its neighbours have a part in.
 */
function base64Forms(secret: Buffer): readonly Buffer[] {
  return [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), secret]).toString("base64");
    const start = [0, 2, 3][before] ?? 0;
    const bits = (before + secret.length) * 8;
    const core = text.slice(start, Math.floor(bits / 6));
    const url = core.replaceAll("+", "-").replaceAll("/", "_");
    return [...new Set([core, url])].map((form) => Buffer.from(form, "latin1"));
  });
}

function percentDecoded(bytes: Buffer): Buffer {
  const out = Buffer.alloc(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const high = bytes[at] === 0x25 ? hexOf(bytes[at + 1]) : -1;
    const low = high < 0 ? -1 : hexOf(bytes[at + 2]);
    if (low < 0) out[length++] = bytes[at] ?? 0;
    else {
      out[length++] = high * 16 + low;
      at += 2;
    }
  }
  return out.subarray(0, length);
}

function hexOf(byte = 0): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
