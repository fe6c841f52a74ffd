/**
 * @module Content codings undone in the stream (RFC 9110 section 8.4; RFC 1952, 7932, 8878). A few
 * hundred bytes can mean gigabytes (CWE-409): every layer is bounded by the bytes that it makes and
 * by their ratio to what came in, so a bomb ends within the first megabyte. What is no coding that
 * is known here is refused: handed on, it would pass for a decoded body.
 */
import {
  type BrotliDecompress,
  constants,
  createBrotliDecompress,
  createGunzip,
  createZstdDecompress,
  type Gunzip,
  type ZstdDecompress,
} from "node:zlib";

import { BrokerError, type BrokerErrorCode } from "../errors.ts";
import type { NetworkLimits } from "../grant/grant.ts";
import { MAX_ZSTD_WINDOW_LOG, RATIO_GRACE_BYTES } from "../limits.ts";

/** A coding that is undone here. */
export type Coding = "gzip" | "br" | "zstd";

/** What a plugin's own wish is replaced by. */
export const ACCEPTED_CODINGS = "gzip, br, zstd";

const CODINGS: Readonly<Record<string, Coding>> = {
  gzip: "gzip",
  "x-gzip": "gzip",
  br: "br",
  zstd: "zstd",
};

/** The codings of a body, in the order in which they were applied, or why they are refused. */
export function parseCodings(
  values: readonly string[],
  maxCodings: number,
): readonly Coding[] | BrokerErrorCode {
  const codings: Coding[] = [];
  for (const raw of values.join(",").split(",")) {
    const name = raw.trim().toLowerCase();
    if (name === "" || name === "identity") continue;
    const coding = Object.hasOwn(CODINGS, name) ? CODINGS[name] : undefined;
    if (coding === undefined) return "BROKER_ENCODING";
    codings.push(coding);
    if (codings.length > maxCodings) return "BROKER_ENCODING_LAYERS";
  }
  return codings;
}

/** Where decoded bytes go. */
export interface DecodeSink {
  onData(bytes: Uint8Array): void;
  /** More may be written. */
  onDrain(): void;
  onEnd(): void;
  onError(error: BrokerError): void;
}

/** A running decoder. */
export interface Decoder {
  /** False = wait for `onDrain`. */
  write(chunk: Uint8Array): boolean;
  end(): void;
  /** While paused nothing more is decoded, once the layers' small buffers are full. */
  pause(): void;
  resume(): void;
  destroy(): void;
}

type Layer = Gunzip | BrotliDecompress | ZstdDecompress;

/** A decoder of one or more layers. */
export function createDecoder(
  codings: readonly Coding[],
  limits: Pick<NetworkLimits, "maxDecodedBytes" | "maxRatio">,
  sink: DecodeSink,
): Decoder {
  // The last coding was applied last, and comes off first.
  const layers = codings.toReversed().map(layerOf);
  let isOver = false;

  function destroy(): void {
    isOver = true;
    for (const layer of layers) layer.destroy();
  }

  function fail(code: BrokerErrorCode, cause?: unknown): void {
    if (isOver) return;
    destroy();
    sink.onError(new BrokerError(code, cause === undefined ? {} : { cause }));
  }

  for (const [at, layer] of layers.entries()) {
    const next = layers[at + 1];
    let made = 0;
    layer.on("data", (bytes: Uint8Array) => {
      if (isOver) return;
      made += bytes.length;
      const isBomb =
        made > limits.maxDecodedBytes ||
        (made > RATIO_GRACE_BYTES && made > limits.maxRatio * layer.bytesWritten);
      if (isBomb) fail("BROKER_DECODED_SIZE");
      else if (next === undefined) sink.onData(bytes);
      else if (!next.write(bytes)) layer.pause();
    });
    next?.on("drain", () => layer.resume());
    layer.on("end", () => {
      if (isOver) return;
      if (next === undefined) sink.onEnd();
      else next.end();
    });
    layer.on("error", (error) => fail("BROKER_DECODE", error));
  }
  const first = layers[0];
  const last = layers.at(-1);
  first?.on("drain", () => sink.onDrain());
  return {
    write: (chunk) => isOver || first?.write(chunk) !== false,
    end: () => void (isOver || first?.end()),
    pause: () => void last?.pause(),
    resume: () => void last?.resume(),
    destroy,
  };
}

function layerOf(coding: Coding): Layer {
  // Bytes after the end of a stream are a second meaning of the body (CWE-436).
  const rejectGarbageAfterEnd = true;
  switch (coding) {
    case "gzip":
      return createGunzip({ rejectGarbageAfterEnd });
    case "br":
      return createBrotliDecompress({ rejectGarbageAfterEnd });
    case "zstd":
      return createZstdDecompress({
        rejectGarbageAfterEnd,
        // By default a frame may ask for a window of 128 MiB.
        params: { [constants.ZSTD_d_windowLogMax]: MAX_ZSTD_WINDOW_LOG },
      });
    default:
      return coding satisfies never;
  }
}
