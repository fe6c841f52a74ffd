/**
 * @module Orders to the host that runs on a data directory, by its own HTTP API: the host alone writes
 * its log and its approvals, and a revocation has to reach what is in flight there.
 */
import { Agent, request as send } from "node:http";

import { parseBoundedJson } from "@glovebox/core/json";

import { HostError } from "../errors.ts";
import { HOST_ANSWER_TIMEOUT_MS, MAX_HOST_ANSWER_BYTES, MAX_JSON_KEYS } from "../limits.ts";
import { readAccess } from "../serve/operator-file.ts";
import type { Failure } from "./command-line.ts";

/** What the host answered: a value, or a problem's code and detail. */
export type HostAnswer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly failure: Failure };

/**
 * Asks the host; with `order` it is a POST in the operator's name.
 *
 * @throws {@link HostError} (`HOST_NOT_RUNNING`, `HOST_PRIVATE_FILE`)
 */
export async function askHost(
  directory: string,
  path: string,
  order?: Readonly<Record<string, string>>,
): Promise<HostAnswer> {
  const { url, token } = await readAccess(directory);
  const answer = await exchange(new URL(path, url), token, order);
  const parsed = parseBoundedJson(answer.body, {
    maxBytes: MAX_HOST_ANSWER_BYTES,
    maxKeys: MAX_JSON_KEYS,
  });
  if (!parsed.allowed) throw notRunning(`${url} does not answer as a host: ${parsed.reason}`);
  if (answer.status === 200) return { ok: true, value: parsed.value };
  const { code, detail } = (parsed.value ?? {}) as { code?: unknown; detail?: unknown };
  return { ok: false, failure: { code: String(code), message: String(detail) } };
}

function exchange(
  url: URL,
  token: string,
  order: Readonly<Record<string, string>> | undefined,
): Promise<{ readonly status: number; readonly body: Buffer }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: Buffer }>();
  const lost = (error: Error & { readonly code?: string }): void =>
    reject(notRunning(`${url.origin} does not answer: ${error.code ?? error.message}`));
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  // An agent of its own: the token does not go through a proxy of the environment.
  const call = send(
    url,
    {
      agent: new Agent(),
      method: order === undefined ? "GET" : "POST",
      headers,
      timeout: HOST_ANSWER_TIMEOUT_MS,
    },
    (response) => {
      const pieces: Buffer[] = [];
      let size = 0;
      response.on("data", (piece: Buffer) => {
        size += piece.length;
        if (size > MAX_HOST_ANSWER_BYTES) call.destroy(new Error("the answer is too large"));
        else pieces.push(piece);
      });
      response.on("error", lost);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(pieces) }),
      );
    },
  );
  call.on("timeout", () => call.destroy(new Error("no answer in time")));
  call.on("error", lost);
  call.end(order === undefined ? undefined : JSON.stringify(order));
  return promise;
}

function notRunning(message: string): HostError {
  return new HostError("HOST_NOT_RUNNING", { message });
}
