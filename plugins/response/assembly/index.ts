/**
 * @module An example plugin of type `response`: renders a page or a JSON document from method, path
 * and query of a request. All three are attacker-controlled and end up in what a browser shows:
 * everything is escaped for where it stands, and the page may run and load nothing.
 */
import {
  encodeText,
  fail,
  failed,
  Fields,
  JsonValue,
  readInputFields,
  run,
} from "@glovebox/plugin-sdk/assembly";

import { renderPage } from "./page";
import { Parameters, readParameters } from "./parameters";

const MAX_METHOD_LENGTH = 16;
const MAX_PATH_LENGTH = 2_048;

export function generate_response(): i32 {
  return run(() => {
    const input = readInputFields();
    const method = input.text("method", MAX_METHOD_LENGTH);
    const path = input.text("path", MAX_PATH_LENGTH);
    const query = readParameters(input.object("query_params"));
    if (!failed() && !path.startsWith("/")) fail('"path" must begin with a slash.');
    if (failed()) return JsonValue.nothing();

    if (method != "GET" && method != "HEAD") return methodNotAllowed();
    const asJson = wantsJson(input, query);
    const text = asJson ? renderJson(method, path, query) : renderPage(method, path, query);
    const type = asJson ? "application/json" : "text/html; charset=utf-8";
    return responseOf(200, type, method == "HEAD" ? "" : text);
  });
}

/** `?format=json` decides, and without it the `Accept` header. */
function wantsJson(input: Fields, query: Parameters): bool {
  const format = query.valueOf("format");
  if (format.length != 0) return format == "json";
  const headers = input.object("headers").value;
  const names = headers.members.keys();
  for (let at = 0; at < names.length; at++) {
    if (names[at].toLowerCase() != "accept") continue;
    const accept = headers.get(names[at]).text;
    return accept.includes("application/json") && !accept.includes("text/html");
  }
  return false;
}

function renderJson(method: string, path: string, query: Parameters): string {
  const members = JsonValue.object();
  for (let at = 0; at < query.names.length; at++) {
    members.set(query.names[at], JsonValue.text(query.values[at]));
  }
  return JsonValue.object()
    .set("method", JsonValue.text(method))
    .set("path", JsonValue.text(path))
    .set("query", members)
    .toString();
}

function methodNotAllowed(): JsonValue {
  const response = responseOf(
    405,
    "text/plain; charset=utf-8",
    "Only GET and HEAD are answered.\n",
  );
  response.get("headers").set("allow", JsonValue.text("GET, HEAD"));
  return response;
}

function responseOf(status: i32, contentType: string, text: string): JsonValue {
  const headers = JsonValue.object()
    .set("content-security-policy", JsonValue.text("default-src 'none'; frame-ancestors 'none'"))
    .set("x-content-type-options", JsonValue.text("nosniff"))
    .set("vary", JsonValue.text("accept"));
  return JsonValue.object()
    .set("status_code", JsonValue.number(status))
    .set("headers", headers)
    .set("body", JsonValue.bytes(encodeText(text)))
    .set("content_type", JsonValue.text(contentType))
    .set("metadata", JsonValue.object())
    .set("cache_control", JsonValue.text("no-store"))
    .set("custom", JsonValue.object());
}
