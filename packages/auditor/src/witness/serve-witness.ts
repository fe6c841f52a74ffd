/** @module A witness over HTTP: two routes, bounded bodies, and a deadline for slow clients. */
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";

import { MAX_CHECKPOINT_BYTES } from "../limits.ts";
import type { Witness, WitnessAnswer } from "./witness.ts";

const REQUEST_TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 64;

/** A server that the caller makes listen, and closes. */
export function createWitnessServer(witness: Witness): Server {
  const listener: RequestListener = (request, response) => {
    answer(witness, request)
      .catch((): WitnessAnswer => ({
        status: 500,
        contentType: "text/plain",
        body: "the witness failed\n",
      }))
      .then(({ status, contentType, body }) => {
        response.writeHead(status, {
          "content-type": contentType,
          "x-content-type-options": "nosniff",
        });
        response.end(body);
      })
      // A client that went away needs no answer.
      .catch(() => undefined);
  };
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS },
    listener,
  );
  server.maxConnections = MAX_CONNECTIONS;
  return server;
}

async function answer(witness: Witness, request: IncomingMessage): Promise<WitnessAnswer> {
  const { method, url = "" } = request;
  const [, originHash] = /^\/([0-9a-f]{64})\/checkpoint$/.exec(url) ?? [];
  if (method === "GET" && originHash !== undefined) return witness.latest(originHash);
  if (method !== "POST" || url !== "/add-checkpoint") {
    return { status: 404, contentType: "text/plain", body: "not found\n" };
  }
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > MAX_CHECKPOINT_BYTES)
      return { status: 413, contentType: "text/plain", body: "too large\n" };
    pieces.push(piece);
  }
  return witness.addCheckpoint(Buffer.concat(pieces));
}
