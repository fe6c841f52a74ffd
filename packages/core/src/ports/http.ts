/** @module HTTP out, as pulled streams (contract.md 7). */
import type { Decision } from "../decision/index.ts";
import type { CallScope } from "./scope.ts";

/** HTTP out. */
export interface HttpPort {
  begin(scope: CallScope, request: HttpRequest): Promise<Decision<HttpExchange>>;
}

/** A pulled stream both ways; at most 256 KiB are buffered each way. */
export interface HttpExchange extends AsyncDisposable {
  writeBody(bytes: Uint8Array): Promise<void>;
  finish(): Promise<HttpResponseHead>;
  /** The next bytes, at most `max`; `null` at the end. */
  readBody(max: number): Promise<Uint8Array | null>;
}

/** A request as the plugin wrote it: every field is attacker-controlled. */
export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [string, string])[];
}

/** Status and headers of a response. */
export interface HttpResponseHead {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
}
