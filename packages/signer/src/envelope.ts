/**
 * @module The envelope: DSSE v1 (github.com/secure-systems-lab/dsse), strictly. What is signed is
 * the pre-authentication encoding of type and payload, so that neither can be read as the other.
 * Every byte of an envelope is attacker-controlled, and nothing in it is believed before a
 * signature was checked.
 */
import { allow, type Decision, refuse, type Refusal } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";
import { canonicalJson, type JsonValue, parseBoundedJson } from "@glovebox/core/json";

import { hasExactKeys, isRecord } from "./json-shape.ts";
import { MAX_JSON_DEPTH, MAX_JSON_KEYS, MAX_SIGNATURE_BYTES, MAX_SIGNATURES } from "./limits.ts";

/** The media type of an in-toto statement in a DSSE envelope. */
export const PAYLOAD_TYPE = "application/vnd.in-toto+json";

const RULE = "signature.envelope";
const ENVELOPE_KEYS = ["payload", "payloadType", "signatures"];
const SIGNATURE_KEYS = ["keyid", "sig"];

/** One signature; the key id is a hint and is not itself signed. */
export interface EnvelopeSignature {
  readonly keyId: string;
  readonly signature: Uint8Array;
}

/** An envelope, read but not yet verified. */
export interface Envelope {
  readonly payload: Uint8Array;
  readonly signatures: readonly EnvelopeSignature[];
}

/** What a signature is made over: `DSSEv1 LEN(type) type LEN(payload) payload`. */
export function preAuthenticationEncoding(payload: Uint8Array): Uint8Array {
  const header = `DSSEv1 ${Buffer.byteLength(PAYLOAD_TYPE)} ${PAYLOAD_TYPE} ${payload.length} `;
  return Buffer.concat([Buffer.from(header), payload]);
}

/** Writes an envelope as canonical JSON and a line feed. */
export function encodeEnvelope({ payload, signatures }: Envelope): Uint8Array {
  const json = {
    payload: Buffer.from(payload).toString("base64"),
    payloadType: PAYLOAD_TYPE,
    signatures: signatures.map(({ keyId, signature }) => ({
      keyid: keyId,
      sig: Buffer.from(signature).toString("base64"),
    })),
  };
  return Buffer.from(`${canonicalJson(json)}\n`);
}

/** Reads an envelope; unknown members, loose base64 and doubled key ids are refused. */
export function decodeEnvelope(raw: Uint8Array): Decision<Envelope> {
  const parsed = parseSignerJson(raw);
  if (!parsed.allowed) return malformed(parsed.reason);
  const json = parsed.value;
  if (!isRecord(json) || !hasExactKeys(json, ENVELOPE_KEYS)) {
    return malformed("a signature file is a DSSE envelope: payload, payloadType, signatures");
  }
  const { payload: rawPayload, payloadType, signatures: rawSignatures } = json;
  if (payloadType !== PAYLOAD_TYPE) {
    const reason = `the payload type is ${PAYLOAD_TYPE}; received ${received(payloadType)}`;
    return refuse("SIGNER_PAYLOAD_TYPE", RULE, reason);
  }
  const payload = decodeBase64(rawPayload);
  if (payload === undefined)
    return malformed("payload is base64 with padding (RFC 4648 section 4)");
  if (!Array.isArray(rawSignatures) || rawSignatures.length < 1) {
    return malformed("signatures is an array of at least one");
  }
  if (rawSignatures.length > MAX_SIGNATURES) {
    return malformed(`there are at most ${MAX_SIGNATURES} signatures`);
  }
  const signatures = rawSignatures.map(decodeSignature);
  if (!signatures.every((signature) => signature !== undefined)) {
    return malformed("each signature has a keyid of text and a sig in base64, and nothing else");
  }
  if (new Set(signatures.map(({ keyId }) => keyId)).size !== signatures.length) {
    return malformed("each key signs once");
  }
  return allow(RULE, { payload, signatures });
}

/** Parses JSON within the bounds of this package. */
export function parseSignerJson(raw: Uint8Array): Decision<JsonValue> {
  return parseBoundedJson(raw, {
    maxBytes: MAX_SIGNATURE_BYTES,
    maxDepth: MAX_JSON_DEPTH,
    maxKeys: MAX_JSON_KEYS,
    maxStringBytes: MAX_SIGNATURE_BYTES,
  });
}

function decodeSignature(raw: JsonValue): EnvelopeSignature | undefined {
  if (!isRecord(raw) || !hasExactKeys(raw, SIGNATURE_KEYS)) return undefined;
  const { keyid: keyId, sig } = raw;
  const signature = decodeBase64(sig);
  return typeof keyId !== "string" || signature === undefined ? undefined : { keyId, signature };
}

/** Node.js skips what is not base64; only text that encodes back to itself is taken. */
function decodeBase64(raw: JsonValue | undefined): Uint8Array | undefined {
  if (typeof raw !== "string") return undefined;
  const bytes = Buffer.from(raw, "base64");
  return bytes.toString("base64") === raw ? bytes : undefined;
}

function malformed(reason: string): Refusal {
  return refuse("SIGNER_ENVELOPE", RULE, reason);
}
