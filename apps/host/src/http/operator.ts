/**
 * @module Whether a request comes from an operator: it shows the host's token as a bearer's (RFC 6750
 * section 2.1). The header is attacker-controlled; what is compared are digests, in constant time.
 */
import { hash, timingSafeEqual } from "node:crypto";

/** Whether the value of `Authorization` is the operator's; without a token nobody is one. */
export function isOperator(authorization: string | undefined, token: string | undefined): boolean {
  if (token === undefined || authorization === undefined) return false;
  const digest = (text: string): Buffer => hash("sha256", text, "buffer");
  return timingSafeEqual(digest(authorization), digest(`Bearer ${token}`));
}
