/** Builds signed packages by hand, so that tests can sign what `signPackage` would not. */
import { hash, type KeyObject, sign } from "node:crypto";

import { generateKeyPair, type KeyPair, SIGNATURE_FILE } from "@glovebox/signer";

export const PLUGIN = { pluginId: "rate-table", version: "1.2.0" } as const;

/** Keys of a publisher that the tests trust, and of a stranger. */
export const publisher: KeyPair = generateKeyPair();
export const stranger: KeyPair = generateKeyPair();
export const trustedKeys = [{ publicKey: publisher.publicKey, identity: "Example Ltd" }] as const;

/** A package of three files, or of what is given. */
export function packageFiles(
  files: Readonly<Record<string, string>> = {},
): Map<string, Uint8Array> {
  const all = {
    "plugin.yaml": "plugin:\n",
    "plugin.wasm": "\0asm",
    "data/rows.csv": "a,b\n",
    ...files,
  };
  return new Map(Object.entries(all).map(([path, text]) => [path, Buffer.from(text)]));
}

/** A statement over files, parts of which may be replaced. */
export function statementOver(
  files: ReadonlyMap<string, Uint8Array>,
  replaced: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const paths = [...files.keys()].filter((path) => path !== SIGNATURE_FILE).sort();
  return {
    _type: "https://in-toto.io/Statement/v1",
    predicate: PLUGIN,
    predicateType: "urn:glovebox:predicate:plugin-package:v0",
    subject: paths.map((path) => subject(path, files.get(path) ?? new Uint8Array())),
    ...replaced,
  };
}

/** One subject of a statement. */
export function subject(name: string, bytes: Uint8Array): Record<string, unknown> {
  return { digest: { sha256: hash("sha256", bytes) }, name };
}

/** Signs any payload with any keys. */
export function envelopeOver(
  payload: unknown,
  signers: readonly { readonly privateKey: KeyObject; readonly keyId: string }[] = [publisher],
  payloadType = "application/vnd.in-toto+json",
): Uint8Array {
  const body = Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload));
  const header = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${body.length} `;
  const message = Buffer.concat([Buffer.from(header), body]);
  const signatures = signers.map(({ privateKey, keyId }) => ({
    keyid: keyId,
    sig: sign(null, message, privateKey).toString("base64"),
  }));
  return Buffer.from(JSON.stringify({ payload: body.toString("base64"), payloadType, signatures }));
}
