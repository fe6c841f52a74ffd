import { Readable, type Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createBrotliCompress, createGzip, createZstdCompress, gzipSync } from "node:zlib";

import { callScope } from "@glovebox/testkit";
import { expect, test } from "vitest";

import { PUBLIC_ADDRESS, createLab, rejectionOf, send, valueOf } from "../lab.ts";
import { startRawServer } from "../raw-server.ts";

// CWE-409: a few hundred bytes that mean 64 MiB.
const network = {
  allowHttpOutbound: true,
  allowedHosts: ["api.example.com"],
  allowInsecureHttp: true,
  limits: { maxDecodedBytes: 10 * 1_048_576, maxCodings: 3, minBytesPerSecond: 0 },
};
const URL_ = "http://api.example.com/";
const coders: Readonly<Record<string, () => Transform>> = {
  gzip: () => createGzip(),
  br: () => createBrotliCompress({ params: { 1: 5 } }),
  zstd: () => createZstdCompress(),
};

function* zeros(): Generator<Buffer> {
  for (let at = 0; at < 64; at += 1) yield Buffer.alloc(1_048_576);
}

test.each(["gzip", "br", "zstd", "gzip, gzip", "br, br, br", "zstd, gzip", "gzip, br"])(
  "a bomb in %s ends after at most a megabyte",
  async (encoding) => {
    await using server = await startRawServer((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-encoding: ${encoding}\r\n\r\n`);
      const chain = encoding.split(", ").flatMap((name) => coders[name]?.() ?? []);
      pipeline([Readable.from(zeros()), ...chain, socket]).catch(() => undefined);
    });
    await using lab = createLab({
      policy: { network },
      dns: { "*": [[PUBLIC_ADDRESS]] },
      port: server.port,
    });
    const port = lab.broker.http(lab.grant());
    await using exchange = valueOf(
      await port.begin(callScope(), { method: "GET", url: URL_, headers: [] }),
    );
    await exchange.finish();
    let bytes = 0;
    let code = "";
    while (code === "") {
      try {
        bytes += (await exchange.readBody(65_536))?.length ?? Infinity;
      } catch (error) {
        code = (error as { code: string }).code;
      }
    }
    expect(code).toBe("BROKER_DECODED_SIZE");
    expect(bytes).toBeLessThanOrEqual(1_048_576);
    const end = lab.log.events.find(({ event }) => event.kind === "network.response");
    expect(Number(end?.event.details?.["decodedBytes"])).toBeLessThanOrEqual(1_048_576);
  },
);

const whole = gzipSync("hello ".repeat(1_000));

test.each<readonly [string, string, Buffer, string]>([
  ["a cut stream", "gzip", whole.subarray(0, 20), "BROKER_DECODE"],
  ["bytes after the stream", "gzip", Buffer.concat([whole, Buffer.alloc(9)]), "BROKER_DECODE"],
  ["a body that is not coded", "br", Buffer.from("hello"), "BROKER_DECODE"],
  ["an unknown coding", "deflate", Buffer.from("hello"), "BROKER_ENCODING"],
  ["a coding with a parameter", "gzip;q=1", whole, "BROKER_ENCODING"],
  ["too many layers", "gzip, gzip, gzip, gzip", whole, "BROKER_ENCODING_LAYERS"],
])("%s ends the response", async (_name, encoding, body, code) => {
  await using server = await startRawServer((socket) => {
    socket.write(`HTTP/1.1 200 OK\r\ncontent-encoding: ${encoding}\r\n`);
    socket.write(`content-length: ${body.length}\r\n\r\n`);
    socket.end(body);
  });
  await using lab = createLab({
    policy: { network },
    dns: { "*": [[PUBLIC_ADDRESS]] },
    port: server.port,
  });
  expect((await send(lab.broker.http(lab.grant()), URL_)).code).toBe(code);
});

test("a zstd frame with a window of 128 MiB is refused before memory is taken for it", async () => {
  // Magic, a descriptor without a size, window 2^27, an empty last block (RFC 8878 section 3.1.1).
  const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, (27 - 10) << 3, 0x01, 0x00, 0x00]);
  await using server = await startRawServer((socket) => {
    socket.write(
      `HTTP/1.1 200 OK\r\ncontent-encoding: zstd\r\ncontent-length: ${frame.length}\r\n\r\n`,
    );
    socket.end(frame);
  });
  await using lab = createLab({
    policy: { network },
    dns: { "*": [[PUBLIC_ADDRESS]] },
    port: server.port,
  });
  expect((await send(lab.broker.http(lab.grant()), URL_)).code).toBe("BROKER_DECODE");
});

test("a plugin that does not read stops the decoding", async () => {
  const big = gzipSync(Buffer.from(Array.from({ length: 2_000_000 }, (_, at) => (at * at) % 251)));
  await using server = await startRawServer((socket) => {
    socket.write(
      `HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${big.length}\r\n\r\n`,
    );
    socket.end(big);
  });
  const records: number[] = [];
  await using lab = createLab({
    policy: { network: { ...network, limits: { maxRatio: 1_000_000 } } },
    dns: { "*": [[PUBLIC_ADDRESS]] },
    port: server.port,
    options: { traffic: ({ response }) => records.push(response.content.size) },
  });
  const grant = lab.grant();
  const exchange = valueOf(
    await lab.broker.http(grant).begin(callScope(), { method: "GET", url: URL_, headers: [] }),
  );
  await exchange.finish();
  for (let turn = 0; turn < 500; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  lab.broker.revoke(grant.id);
  expect(await rejectionOf(exchange.readBody(1))).toBe("BROKER_REVOKED");
  expect(records[0]).toBeLessThan(400_000);
});
