/**
 * @module A writer for the part of DER (ITU-T X.690) that an X.509 certificate needs. It only
 * writes, and only what the test kit itself made, so there is nothing to validate.
 */

const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One DER value: tag, length, content. */
export function tagged(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(contents);
  return Buffer.concat([Uint8Array.of(tag, ...lengthOf(content.length)), content]);
}

/** A context-specific constructed value, such as `[3] EXPLICIT`. */
export function explicit(number: number, ...contents: readonly Uint8Array[]): Uint8Array {
  return tagged(0xa0 | number, ...contents);
}

/** A context-specific primitive value, such as `[2] IMPLICIT IA5String`. */
export function implicit(number: number, content: Uint8Array): Uint8Array {
  return tagged(0x80 | number, content);
}

/** SEQUENCE. */
export function sequence(...items: readonly Uint8Array[]): Uint8Array {
  return tagged(TAG.sequence, ...items);
}

/** SET of one or more items, which the caller gives in DER's order. */
export function set(...items: readonly Uint8Array[]): Uint8Array {
  return tagged(TAG.set, ...items);
}

/** BOOLEAN TRUE; FALSE is the default wherever certificates have one and is left out. */
export function booleanTrue(): Uint8Array {
  return tagged(TAG.boolean, Uint8Array.of(0xff));
}

/** INTEGER from an unsigned big-endian magnitude. */
export function unsignedInteger(magnitude: Uint8Array): Uint8Array {
  const first = magnitude.findIndex((byte) => byte !== 0);
  const minimal = first === -1 ? Uint8Array.of(0) : magnitude.subarray(first);
  // A leading bit of 1 would make it negative.
  return tagged(TAG.integer, Uint8Array.of(...((minimal[0] ?? 0) & 0x80 ? [0] : [])), minimal);
}

/** OBJECT IDENTIFIER from its dotted form. */
export function objectIdentifier(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return tagged(
    TAG.objectIdentifier,
    Uint8Array.from([first * 40 + second, ...rest].flatMap(base128)),
  );
}

/** OCTET STRING. */
export function octetString(content: Uint8Array): Uint8Array {
  return tagged(TAG.octetString, content);
}

/** BIT STRING; `unusedBits` counts at the end of the last byte. */
export function bitString(content: Uint8Array, unusedBits = 0): Uint8Array {
  return tagged(TAG.bitString, Uint8Array.of(unusedBits), content);
}

/** UTF8String. */
export function utf8String(text: string): Uint8Array {
  return tagged(TAG.utf8String, Buffer.from(text, "utf8"));
}

/** UTCTime through 2049 and GeneralizedTime from 2050 on (RFC 5280 section 4.1.2.5). */
export function time(ms: number): Uint8Array {
  const digits = `${new Date(ms).toISOString().slice(0, 19).replaceAll(/\D/g, "")}Z`;
  return digits < "2050"
    ? tagged(TAG.utcTime, Buffer.from(digits.slice(2), "ascii"))
    : tagged(TAG.generalizedTime, Buffer.from(digits, "ascii"));
}

function lengthOf(length: number): readonly number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff);
  return [0x80 | bytes.length, ...bytes];
}

function base128(value: number): readonly number[] {
  const bytes = [value & 0x7f];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes.unshift((rest & 0x7f) | 0x80);
  return bytes;
}
