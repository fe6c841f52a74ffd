/**
 * @module HTTP through the plugin's grant. A request that the host refuses ends the call, so that
 * what comes back here was allowed; the answer is still a stranger's.
 */
import { takeBlock, writeText } from "./block";
import * as env from "./env";
import { JsonValue } from "./json-value";

/** What a server answered. */
export class HttpAnswer {
  constructor(
    readonly status: i32,
    readonly body: Uint8Array,
  ) {}
}

/** Sends a GET request. */
export function httpGet(url: string): HttpAnswer {
  const request = JsonValue.object()
    .set("url", JsonValue.text(url))
    .set("method", JsonValue.text("GET"));
  const handle = env.httpRequest(writeText(request.toString()), 0);
  const status = env.httpStatusCode();
  return new HttpAnswer(status, handle == 0 ? new Uint8Array(0) : takeBlock(handle));
}
