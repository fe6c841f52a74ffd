import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

import { describe, expect, test } from "vitest";

import { createOtlpSink } from "#src/sinks/otlp";

import { HOSTILE, NEVER, sentEvent, TIME } from "./sent-event.ts";

interface Collector extends AsyncDisposable {
  readonly url: string;
  readonly requests: { readonly headers: IncomingMessage["headers"]; readonly body: unknown }[];
  answer: { status: number; body: string; location?: string };
}

async function collector(): Promise<Collector> {
  const requests: Collector["requests"] = [];
  const state: Pick<Collector, "answer"> = { answer: { status: 200, body: "{}" } };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      requests.push({
        headers: request.headers,
        body: JSON.parse(Buffer.concat(chunks).toString()),
      });
      response
        .writeHead(state.answer.status, {
          location: state.answer.location ?? "http://127.0.0.1:9/",
        })
        .end(state.answer.body);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return Object.assign(state, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/logs`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  });
}

describe("OTLP over HTTP", () => {
  test("posts log records in the JSON encoding", async () => {
    await using to = await collector();
    await using sink = createOtlpSink({ url: to.url, headers: { authorization: "Bearer t" } });
    const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    const sent = sentEvent({ traceId, code: "BROKER_X", error: HOSTILE }, 7, "rate-table");
    expect(await sink.send([sent], NEVER)).toEqual({ rejected: 0 });
    expect(to.requests[0]?.headers).toMatchObject({
      authorization: "Bearer t",
      "content-type": "application/json",
    });
    expect(to.requests[0]?.body).toEqual({
      resourceLogs: [
        {
          resource: { attributes: [{ key: "service.name", value: { stringValue: "glovebox" } }] },
          scopeLogs: [
            {
              scope: { name: "@glovebox/auditor" },
              logRecords: [
                {
                  timeUnixNano: `${TIME}000000`,
                  observedTimeUnixNano: `${TIME}000000`,
                  severityNumber: 13,
                  severityText: "WARN",
                  eventName: "glovebox.deny",
                  body: { stringValue: sent.json },
                  attributes: [
                    { key: "glovebox.log.origin", value: { stringValue: sent.origin } },
                    { key: "glovebox.log.index", value: { intValue: "7" } },
                    { key: "glovebox.log.class", value: { stringValue: "security" } },
                    { key: "glovebox.plugin.id", value: { stringValue: "rate-table" } },
                    { key: "glovebox.code", value: { stringValue: "BROKER_X" } },
                    { key: "glovebox.success", value: { boolValue: false } },
                  ],
                  traceId,
                },
              ],
            },
          ],
        },
      ],
    });
  });

  test.each([
    ['{"partialSuccess":{"rejectedLogRecords":"3"}}', 3],
    ['{"partialSuccess":{"rejectedLogRecords":-3}}', 0],
    ["{}", 0],
    ["not JSON", 0],
    ["null", 0],
    ["", 0],
  ])("understands the answer %j", async (body, rejected) => {
    await using to = await collector();
    to.answer = { status: 200, body };
    await using sink = createOtlpSink({ url: to.url });
    expect(await sink.send([sentEvent()], NEVER)).toEqual({ rejected });
  });

  test.each([429, 502, 503, 504])(
    "rejects on status %i, which is worth another try",
    async (status) => {
      await using to = await collector();
      to.answer = { status, body: "" };
      await using sink = createOtlpSink({ url: to.url });
      await expect(sink.send([sentEvent()], NEVER)).rejects.toThrow(String(status));
    },
  );

  test.each([400, 401, 413, 500])("counts all as lost on status %i", async (status) => {
    await using to = await collector();
    to.answer = { status, body: "no" };
    await using sink = createOtlpSink({ url: to.url });
    expect(await sink.send([sentEvent(), sentEvent()], NEVER)).toEqual({ rejected: 2 });
  });

  test("does not follow a redirect: events would go to whoever the collector names", async () => {
    await using elsewhere = await collector();
    await using to = await collector();
    to.answer = { status: 307, body: "", location: elsewhere.url };
    await using sink = createOtlpSink({ url: to.url });
    await expect(sink.send([sentEvent()], NEVER)).rejects.toThrow("fetch failed");
    expect([to.requests.length, elsewhere.requests.length]).toEqual([1, 0]);
  });

  test("reads an endless answer only so far", async () => {
    let isAway = false;
    const server = createServer((request, response) => {
      const more = (): void => {
        if (!isAway && response.write("x".repeat(65_536))) setImmediate(more);
      };
      response.on("drain", more).on("close", () => (isAway = true));
      request.resume().on("end", more);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    await using sink = createOtlpSink({ url });
    expect(await sink.send([sentEvent()], NEVER)).toEqual({ rejected: 0 });
    await expect.poll(() => isAway).toBe(true);
    server.close();
    server.closeAllConnections();
  });
});
