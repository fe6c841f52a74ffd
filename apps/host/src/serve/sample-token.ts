/** @module A JSON Web Token (RFC 7519, HS256) for the sample call of the example plugin `auth`. */
import { createHmac } from "node:crypto";

import { SAMPLE_TOKEN_SECONDS } from "../limits.ts";

/** A token of an invented person, valid for a day from `nowSeconds` (since 1970). */
export function sampleToken(key: Uint8Array, nowSeconds: number): string {
  const header = encode({ alg: "HS256", typ: "JWT" });
  const claims = encode({
    sub: "ann",
    name: "Ann Example",
    roles: ["reader"],
    exp: nowSeconds + SAMPLE_TOKEN_SECONDS,
  });
  const mac = createHmac("sha256", key).update(`${header}.${claims}`).digest("base64url");
  return `${header}.${claims}.${mac}`;
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}
