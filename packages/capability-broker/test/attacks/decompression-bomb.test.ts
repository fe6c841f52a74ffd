import { Readable, type Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  brotliCompressSync,
  createBrotliCompress,
  createGzip,
  createZstdCompress,
  gzipSync,
  zstdCompressSync,
} from "node:zlib";

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

test("a layer that makes nothing but room for the next is bounded too", async () => {
  // Empty stored blocks (RFC 1951 section 3.2.4): the inner stream is large, and means nothing.
  const empty = Buffer.from([0, 0, 0, 0xff, 0xff]);
  const nothing = gzipSync("");
  const blocks = Array.from({ length: 20_000 }, () => empty);
  const inner = Buffer.concat([nothing.subarray(0, 10), ...blocks, nothing.subarray(10)]);
  const body = gzipSync(inner);
  await using server = await startRawServer((socket) =>
    socket.end(
      Buffer.concat([
        Buffer.from(
          `HTTP/1.1 200 OK\r\ncontent-encoding: gzip, gzip\r\ncontent-length: ${body.length}\r\n\r\n`,
        ),
        body,
      ]),
    ),
  );
  for (const [maxDecodedBytes, code] of [
    [inner.length, "allowed"],
    [inner.length - 1, "BROKER_DECODED_SIZE"],
  ] as const) {
    const limits = { ...network.limits, maxDecodedBytes };
    await using lab = createLab({
      policy: { network: { ...network, limits } },
      dns: { "*": [[PUBLIC_ADDRESS]] },
      port: server.port,
    });
    expect((await send(lab.broker.http(lab.grant()), URL_)).code).toBe(code);
  }
});

test.each([
  ["gzip", gzipSync("hello")],
  ["br", brotliCompressSync("hello")],
  ["zstd", zstdCompressSync("hello")],
])("bytes behind the end of a body in %s are no part of it", async (encoding, body) => {
  for (const [tail, code] of [
    ["", "allowed"],
    ["x".repeat(16), "BROKER_DECODE"],
  ] as const) {
    const length = body.length + tail.length;
    await using server = await startRawServer((socket) => {
      socket.write(
        `HTTP/1.1 200 OK\r\ncontent-encoding: ${encoding}\r\ncontent-length: ${length}\r\n\r\n`,
      );
      socket.end(Buffer.concat([body, Buffer.from(tail)]));
    });
    await using lab = createLab({
      policy: { network },
      dns: { "*": [[PUBLIC_ADDRESS]] },
      port: server.port,
    });
    expect((await send(lab.broker.http(lab.grant()), URL_)).code).toBe(code);
  }
});

test.each(["constructor", "__proto__", "toString", "deflate", "compress", "gzip;q=1"])(
  "the coding %s is none that is known",
  async (encoding) => {
    await using server = await startRawServer((socket) =>
      socket.end(`HTTP/1.1 200 OK\r\ncontent-encoding: ${encoding}\r\ncontent-length: 1\r\n\r\nx`),
    );
    await using lab = createLab({
      policy: { network },
      dns: { "*": [[PUBLIC_ADDRESS]] },
      port: server.port,
    });
    expect((await send(lab.broker.http(lab.grant()), URL_)).code).toBe("BROKER_ENCODING");
  },
);

test("a body that is not coded is held to the decoded bound as well, and an empty one is empty", async () => {
  for (const [coding, body, code] of [
    ["identity", "x".repeat(100), "allowed"],
    ["identity", "x".repeat(101), "BROKER_DECODED_SIZE"],
    ["gzip", "", "allowed"],
  ] as const) {
    await using server = await startRawServer((socket) =>
      socket.end(
        `HTTP/1.1 200 OK\r\ncontent-encoding: ${coding}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      ),
    );
    const limits = { ...network.limits, maxDecodedBytes: 100 };
    await using lab = createLab({
      policy: { network: { ...network, limits } },
      dns: { "*": [[PUBLIC_ADDRESS]] },
      port: server.port,
    });
    expect((await send(lab.broker.http(lab.grant()), URL_)).code).toBe(code);
  }
});
