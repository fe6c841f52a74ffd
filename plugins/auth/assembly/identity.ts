/** @module The identity in a token's claims, by the names of OpenID Connect Core section 5.1. */
import { JsonValue } from "@glovebox/plugin-sdk/assembly";

/** Who the claims say it is; null without a `sub`. */
export function identityOf(claims: JsonValue): JsonValue {
  const subject = claims.get("sub");
  if (!subject.isText || subject.text.length == 0) return JsonValue.nothing();
  const identity = JsonValue.object().set("user_id", subject);
  copyText(claims, "preferred_username", identity, "username");
  copyText(claims, "email", identity, "email");
  copyText(claims, "name", identity, "display_name");
  return identity
    .set("roles", textsOf(claims.get("roles")))
    .set("groups", textsOf(claims.get("groups")))
    .set("attributes", JsonValue.object());
}

function copyText(claims: JsonValue, claim: string, identity: JsonValue, name: string): void {
  const value = claims.get(claim);
  if (value.isText) identity.set(name, value);
}

/** The texts of an array; anything else is no role, rather than one that was not meant. */
function textsOf(value: JsonValue): JsonValue {
  const texts = JsonValue.array();
  for (let at = 0; at < value.items.length; at++) {
    if (value.items[at].isText) texts.push(value.items[at]);
  }
  return texts;
}
