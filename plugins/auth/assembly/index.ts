/**
 * @module An example plugin of type `auth`: accepts `Authorization: Bearer` with a JWT (RFC 7519)
 * signed by HS256. The key never enters the plugin: the host verifies the MAC. A token that is not
 * accepted is an answer, not an error; only input of a wrong form is one.
 */
import { config, Fields, JsonValue, readInputFields, run } from "@glovebox/plugin-sdk/assembly";

import { bearerToken } from "./bearer";
import { identityOf } from "./identity";
import { parseToken, Token } from "./token";
import { verifyHmac } from "./verify";

/** The name under which the host knows the key, unless the configuration says another. */
const DEFAULT_KEY_NAME = "auth";

export function authenticate(): i32 {
  return run(() => {
    const input = readInputFields();
    const raw = bearerToken(input.object("headers"));
    if (raw.length == 0) return refusal("A bearer token is required.");
    const token = parseToken(raw);
    if (token === null) return refusal("The token is not valid.");
    // Nothing that the token says is used before its signature: not even when it expires.
    if (!verifyHmac(config("key_name", DEFAULT_KEY_NAME), token.signed, token.mac)) {
      return refusal("The token is not valid.");
    }
    const reason = refusedForTime(token, input);
    return reason.length == 0 ? acceptance(token) : refusal(reason);
  });
}

/**
 * Checks `exp` and `nbf` against `context.custom.now`, seconds since 1970, which the host sets:
 * WebAssembly has no clock. Without it a token that has a date is refused. Empty when all is well.
 */
function refusedForTime(token: Token, input: Fields): string {
  const expires = token.claims.get("exp");
  const begins = token.claims.get("nbf");
  if (expires.isNull && begins.isNull) return "";
  const now = input.value.get("context").get("custom").get("now");
  if (!now.isNumber) return "The token has a date, and the host gave no time to check it against.";
  if (!expires.isNull && !(expires.isNumber && now.number < expires.number)) {
    return "The token has expired.";
  }
  if (!begins.isNull && !(begins.isNumber && now.number >= begins.number)) {
    return "The token is not valid yet.";
  }
  return "";
}

function acceptance(token: Token): JsonValue {
  const identity = identityOf(token.claims);
  if (identity.isNull) return refusal("The token names nobody.");
  return JsonValue.object()
    .set("authenticated", JsonValue.bool(true))
    .set("identity", identity)
    .set("claims", token.claims)
    .set("metadata", JsonValue.object().set("scheme", JsonValue.text("Bearer")));
}

function refusal(publicMessage: string): JsonValue {
  return JsonValue.object()
    .set("authenticated", JsonValue.bool(false))
    .set("identity", JsonValue.nothing())
    .set("claims", JsonValue.object())
    .set("metadata", JsonValue.object().set("scheme", JsonValue.text("Bearer")))
    .set("error_message", JsonValue.text(publicMessage));
}
